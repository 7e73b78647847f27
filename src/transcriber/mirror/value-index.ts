import { readDn } from "../../core/directory/dn.ts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import type { Schema } from "../../core/directory/schema.ts";
import { Multimap } from "./multimap.ts";
import { type Comparison, type Read, valueRead } from "./read-set.ts";

interface Indexed {
  readonly uuid: string;
  readonly attributes: Attributes;
}

/** Indexes from values to entries: one for each attribute that a `where` has read, built at the first read. */
export class ValueIndex {
  readonly #schema: Schema;
  readonly #indexes = new Map<string, { comparison: Comparison; attribute: string; holders: Multimap }>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** The UUIDs of the entries with a value, in its normal form. `all` is read to build a missing index. */
  find(comparison: Comparison, attribute: string, value: string, all: () => Iterable<Indexed>): Iterable<string> {
    const name = `${comparison} ${attribute}`;
    let index = this.#indexes.get(name);
    if (!index) {
      index = { comparison, attribute, holders: new Multimap() };
      for (const { uuid, attributes } of all()) {
        for (const held of this.#normalValues(comparison, attribute, attributes.get(attribute)))
          index.holders.add(held, uuid);
      }
      this.#indexes.set(name, index);
    }
    return index.holders.get(value);
  }

  /** The reads whose answers contain an entry of these attributes. */
  *readsOf(attributes: Attributes): Generator<Read> {
    for (const { comparison, attribute } of this.#indexes.values()) {
      for (const value of this.#normalValues(comparison, attribute, attributes.get(attribute)))
        yield valueRead(comparison, attribute, value);
    }
  }

  /** Updates the indexes for a change of an entry, and adds the reads whose answer has changed. */
  change(uuid: string, before: Attributes | undefined, after: Attributes | undefined, reads: Set<Read>): void {
    for (const { comparison, attribute, holders } of this.#indexes.values()) {
      const had = before?.get(attribute);
      const has = after?.get(attribute);
      if (had === has) continue;
      const old = this.#normalValues(comparison, attribute, had);
      const now = this.#normalValues(comparison, attribute, has);
      for (const value of old) {
        if (now.has(value)) continue;
        holders.delete(value, uuid);
        reads.add(valueRead(comparison, attribute, value));
      }
      for (const value of now) {
        if (old.has(value)) continue;
        holders.add(value, uuid);
        reads.add(valueRead(comparison, attribute, value));
      }
    }
  }

  #normalValues(comparison: Comparison, attribute: string, values: readonly Value[] = []): Set<string> {
    const normal = new Set<string>();
    for (const value of values) {
      if (typeof value !== "string") continue;
      const form = comparison === "text" ? comparable(attribute, value, this.#schema) : readDn(value, this.#schema);
      if (form !== undefined) normal.add(form);
    }
    return normal;
  }
}
