import { parentOf, readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { sameEntry } from "../../core/directory/same-entry.ts";
import { type Schema, standardSchema } from "../../core/directory/schema.ts";
import { atOnce, type SlicedWork } from "../../core/util/slices.ts";
import { type MirrorEntry, mirrored } from "./mirror-entry.ts";
import { Multimap } from "./multimap.ts";
import { type Namesakes, namesakesOf } from "./namesakes.ts";
import { type Comparison, childrenRead, nameRead, type Read, type ReadSet, valueRead } from "./read-set.ts";
import { sorted } from "./sorted.ts";
import { afterChange, afterRefresh, type Outcome } from "./subtrees.ts";
import { ValueIndex } from "./value-index.ts";

/** A change of the mirror: the entries that were added, changed or removed, and the reads whose answer has changed. */
export interface Difference {
  /** The DN of each entry, by UUID; the last DN of a removed one. */
  readonly changed: ReadonlyMap<string, string>;
  readonly reads: ReadSet;
}

/** Long work in slices, during which the mirror must not change. */
export type Preparation = () => SlicedWork<void>;

/** The directory in memory: entries by UUID, by name, by parent and by value. */
export class Mirror {
  readonly #byUuid = new Map<string, MirrorEntry>();
  #schema: Schema = standardSchema;
  #byName = new Multimap();
  #children = new Multimap();
  #values = new ValueIndex(standardSchema);
  /** The normal DNs that several entries have. */
  readonly #shared = new Set<string>();
  /** The answers of several entries in their order, until the next change: thousands of evaluations may share one. */
  readonly #answers = new Map<Read, readonly MirrorEntry[]>();
  /** The namesakes of shared DNs that were asked for since one of them changed. */
  readonly #namesakes = new Map<string, Namesakes>();

  get size(): number {
    return this.#byUuid.size;
  }

  get(uuid: string): MirrorEntry | undefined {
    return this.#byUuid.get(uuid);
  }

  /** The schema by which names and values are compared. */
  get schema(): Schema {
    return this.#schema;
  }

  /** The entries of a normal DN. */
  namesakes(normal: string): Namesakes {
    const known = this.#namesakes.get(normal);
    if (known) return known;
    const bearers = [...this.#byName.get(normal)].flatMap((uuid) => this.#byUuid.get(uuid) ?? []);
    const namesakes = namesakesOf(bearers, this.#schema);
    if (bearers.length > 1) this.#namesakes.set(normal, namesakes);
    return namesakes;
  }

  /** The entries of each normal DN that several have, the oldest first. What is below namesakes is left out. */
  *allNamesakes(): Generator<readonly MirrorEntry[]> {
    for (const normal of this.#shared)
      if (!this.#shared.has(parentOf(normal) ?? "")) yield this.namesakes(normal).entries;
  }

  /** The entry that a DN names. */
  named(dn: string): MirrorEntry | undefined {
    const normal = readDn(dn, this.#schema);
    return normal === undefined ? undefined : this.namesakes(normal).named(dn);
  }

  /** The entries directly below a normal DN, in the order of their DNs. */
  below(normal: string): readonly MirrorEntry[] {
    return this.#answer(childrenRead(normal), () => this.#children.get(normal));
  }

  /** Long work that must precede a `where`: an index, or a large answer. Undefined if `where` answers at once. */
  beforeWhere(comparison: Comparison, attribute: string, value: string): Preparation | undefined {
    if (!this.#values.has(comparison, attribute)) return () => this.index(comparison, attribute);
    const found = (): Iterable<string> => this.#values.find(comparison, attribute, value);
    return this.#beforeAnswer(
      valueRead(comparison, attribute, value),
      this.#values.count(comparison, attribute, value),
      found,
    );
  }

  /** Long work that must precede `below`. Undefined if it answers at once. */
  beforeBelow(normal: string): Preparation | undefined {
    return this.#beforeAnswer(childrenRead(normal), this.#children.count(normal), () => this.#children.get(normal));
  }

  /** Builds the index of an attribute. The mirror must not change meanwhile. */
  index(comparison: Comparison, attribute: string): SlicedWork<void> {
    return this.#values.build(comparison, attribute, this.#byUuid.values(), this.size);
  }

  /** The entries with a normal value in an attribute, in the order of their DNs. Builds a missing index at once. */
  where(comparison: Comparison, attribute: string, value: string): readonly MirrorEntry[] {
    return this.#answer(valueRead(comparison, attribute, value), () => {
      if (!this.#values.has(comparison, attribute)) atOnce(this.index(comparison, attribute));
      return this.#values.find(comparison, attribute, value);
    });
  }

  entries(): Iterable<MirrorEntry> {
    return this.#byUuid.values();
  }

  /** Replaces the content of the mirror. Under another schema all names and values are compared anew. */
  *refresh(entries: readonly StoredEntry[], schema: Schema = this.#schema): SlicedWork<Difference> {
    if (schema !== this.#schema) yield* this.#adopt(schema);
    return yield* this.#apply(yield* afterRefresh(this, entries));
  }

  /** Adds or changes entries, and removes those of some UUIDs with their subtrees. */
  *change(put: Iterable<StoredEntry>, removed: Iterable<string>): SlicedWork<Difference> {
    return yield* this.#apply(yield* afterChange(this, put, removed));
  }

  /** Replaces the schema. Who reads the mirror must ask all its questions again. */
  *#adopt(schema: Schema): SlicedWork<void> {
    this.#schema = schema;
    this.#byName = new Multimap();
    this.#children = new Multimap();
    this.#values = new ValueIndex(schema);
    this.#shared.clear();
    this.#answers.clear();
    this.#namesakes.clear();
    let done = 0;
    const unread = new Set<Read>();
    for (const entry of this.#byUuid.values()) {
      const { uuid, dn, attributes } = entry;
      const again = mirrored({ uuid, dn, attributes }, schema);
      this.#byUuid.set(uuid, again);
      this.#name(again, undefined, unread);
      yield { what: "comparing by another schema", done: ++done, of: this.#byUuid.size };
    }
  }

  /** Applies a change. Between its steps the mirror is inconsistent, and must not be read. */
  *#apply(outcome: Outcome): SlicedWork<Difference> {
    this.#answers.clear();
    const reads = new Set<Read>();
    const changes: { uuid: string; before: MirrorEntry | undefined; after: MirrorEntry | undefined }[] = [];
    const progress = (done: number) => ({ what: "reading in the directory", done, of: changes.length });
    for (const [uuid, after] of outcome) {
      const before = this.#byUuid.get(uuid);
      const same = before && after ? sameEntry(before, after) : before === after;
      if (!same) changes.push({ uuid, before, after });
      yield progress(0);
    }
    // All old names are freed before the new ones are taken: entries may have swapped theirs.
    for (const { before, after } of changes) {
      if (before && before.normal !== after?.normal) this.#unname(before, after, reads);
      yield progress(0);
    }
    const changed = new Map<string, string>();
    for (const { uuid, before, after } of changes) {
      if (after && after.normal !== before?.normal) this.#name(after, before, reads);
      this.#values.change(uuid, before?.attributes, after?.attributes, reads);
      if (before && after && (before.dn !== after.dn || createdAt(before) !== createdAt(after)))
        this.#reorder(after, reads);
      if (after) this.#byUuid.set(uuid, after);
      else this.#byUuid.delete(uuid);
      changed.set(uuid, (after ?? before)?.dn ?? "");
      yield progress(changed.size);
    }
    for (const { before, after } of changes) {
      if (before) this.#namesakes.delete(before.normal);
      if (after) this.#namesakes.delete(after.normal);
    }
    return { changed, reads };
  }

  #unname(entry: MirrorEntry, after: MirrorEntry | undefined, reads: Set<Read>): void {
    this.#byName.delete(entry.normal, entry.uuid);
    reads.add(nameRead(entry.normal));
    if (this.#byName.count(entry.normal) < 2) this.#shared.delete(entry.normal);
    if (entry.parent === undefined || entry.parent === after?.parent) return;
    this.#children.delete(entry.parent, entry.uuid);
    reads.add(childrenRead(entry.parent));
  }

  #name(entry: MirrorEntry, before: MirrorEntry | undefined, reads: Set<Read>): void {
    this.#byName.add(entry.normal, entry.uuid);
    if (this.#byName.count(entry.normal) > 1) this.#shared.add(entry.normal);
    reads.add(nameRead(entry.normal));
    if (entry.parent === undefined || entry.parent === before?.parent) return;
    this.#children.add(entry.parent, entry.uuid);
    reads.add(childrenRead(entry.parent));
  }

  /**
   * Adds the reads whose answers contain an entry with a new DN: its place in their order may have changed, and which of
   * several namesakes a DN names.
   */
  #reorder({ normal, parent, attributes }: MirrorEntry, reads: Set<Read>): void {
    if (this.#shared.has(normal)) reads.add(nameRead(normal));
    if (parent !== undefined) reads.add(childrenRead(parent));
    for (const read of this.#values.readsOf(attributes)) reads.add(read);
  }

  #beforeAnswer(read: Read, count: number, uuids: () => Iterable<string>): Preparation | undefined {
    return count < large || this.#answers.has(read) ? undefined : () => this.#prepare(read, uuids());
  }

  *#prepare(read: Read, uuids: Iterable<string>): SlicedWork<void> {
    const entries = [...uuids].flatMap((uuid) => this.#byUuid.get(uuid) ?? []);
    this.#answers.set(read, yield* sorted(entries, byName, "sorting entries"));
  }

  #answer(read: Read, uuids: () => Iterable<string>): readonly MirrorEntry[] {
    const known = this.#answers.get(read);
    if (known) return known;
    const found = this.#inOrder(uuids());
    if (found.length > 1 && this.#answers.size < mostAnswers) this.#answers.set(read, found);
    return found;
  }

  #inOrder(uuids: Iterable<string>): MirrorEntry[] {
    const entries = [...uuids].flatMap((uuid) => this.#byUuid.get(uuid) ?? []);
    return entries.length < 2 ? entries : entries.sort(byName);
  }
}

const createdAt = ({ attributes }: MirrorEntry) => attributes.get("createtimestamp")?.[0];

/** An answer from this number of entries on takes long to sort. */
const large = 10_000;

/** The most answers that are kept: all answers of a refresh together may be as large as the directory. */
const mostAnswers = 10_000;

/** The order of DNs. Namesakes are ordered by their spelling. */
function byName(a: MirrorEntry, b: MirrorEntry): number {
  if (a.normal !== b.normal) return a.normal < b.normal ? -1 : 1;
  return a.dn < b.dn ? -1 : 1;
}
