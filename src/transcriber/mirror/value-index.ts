import { readDn } from "../../core/directory/dn.ts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import type { Schema } from "../../core/directory/schema.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import { Multimap } from "./multimap.ts";
import { type Comparison, type Read, valueRead } from "./read-set.ts";

interface Indexed {
  readonly uuid: string;
  readonly attributes: Attributes;
}

/** Indexes from values to entries: one for each attribute that a `where` has read. */
export class ValueIndex {
  readonly #schema: Schema;
  readonly #indexes = new Map<string, { comparison: Comparison; attribute: string; holders: Multimap }>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** True if the index of an attribute is built. */
  has(comparison: Comparison, attribute: string): boolean {
    return this.#indexes.has(`${comparison} ${attribute}`);
  }

  /** Builds the index of an attribute from all entries, which must not change meanwhile. */
  *build(comparison: Comparison, attribute: string, all: Iterable<Indexed>, size: number): SlicedWork<void> {
    const holders = new Multimap();
    const what = `indexing ${attribute}`;
    let done = 0;
    for (const { uuid, attributes } of all) {
      for (const held of this.#normalValues(comparison, attribute, attributes.get(attribute))) holders.add(held, uuid);
      yield { what, done: ++done, of: size };
    }
    this.#indexes.set(`${comparison} ${attribute}`, { comparison, attribute, holders });
  }

  /** The UUIDs of the entries with a value, in its normal form. The index must be built. */
  find(comparison: Comparison, attribute: string, value: string): Iterable<string> {
    const index = this.#indexes.get(`${comparison} ${attribute}`);
    if (!index) throw new Error(`${attribute} has no index`);
    return index.holders.get(value);
  }

  /** The number of entries with a value, in its normal form. The index must be built. */
  count(comparison: Comparison, attribute: string, value: string): number {
    return this.#indexes.get(`${comparison} ${attribute}`)?.holders.count(value) ?? 0;
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
