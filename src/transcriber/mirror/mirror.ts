import { readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { sameEntry } from "../../core/directory/same-entry.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { MirrorEntry } from "./mirror-entry.ts";
import { Multimap } from "./multimap.ts";
import { resolveNamesake } from "./namesakes.ts";
import { type Comparison, childrenRead, nameRead, type Read, type ReadSet, valueRead } from "./read-set.ts";
import { afterChange, afterRefresh, type Outcome } from "./subtrees.ts";
import { ValueIndex } from "./value-index.ts";

/** A change of the mirror: the entries that were added, changed or removed, and the reads whose answer has changed. */
export interface Difference {
  /** The DN of each entry, by UUID; the last DN of a removed one. */
  readonly changed: ReadonlyMap<string, string>;
  readonly reads: ReadSet;
}

/** The directory in memory: entries by UUID, by name, by parent and by value. */
export class Mirror {
  readonly #byUuid = new Map<string, MirrorEntry>();
  readonly #byName = new Multimap();
  readonly #children = new Multimap();
  readonly #values = new ValueIndex();
  /** The answers of several entries in their order, until the next change: thousands of evaluations may share one. */
  readonly #answers = new Map<Read, readonly MirrorEntry[]>();

  get size(): number {
    return this.#byUuid.size;
  }

  get(uuid: string): MirrorEntry | undefined {
    return this.#byUuid.get(uuid);
  }

  /** The entries of a normal DN, in the order of their DNs. More than one are namesakes. */
  bearers(normal: string): MirrorEntry[] {
    return this.#inOrder(this.#byName.get(normal));
  }

  /** The entry that a DN names. Throws a `Refusal` if the DN may name one of several. */
  named(dn: string): MirrorEntry | undefined {
    const normal = readDn(dn);
    return normal === undefined ? undefined : resolveNamesake(this.bearers(normal), dn);
  }

  /** The entries directly below a normal DN, in the order of their DNs. */
  below(normal: string): readonly MirrorEntry[] {
    return this.#answer(childrenRead(normal), () => this.#children.get(normal));
  }

  /** The entries with a normal value in an attribute, in the order of their DNs. */
  where(comparison: Comparison, attribute: string, value: string): readonly MirrorEntry[] {
    return this.#answer(valueRead(comparison, attribute, value), () =>
      this.#values.find(comparison, attribute, value, () => this.#byUuid.values()),
    );
  }

  entries(): Iterable<MirrorEntry> {
    return this.#byUuid.values();
  }

  /** Replaces the content of the mirror. */
  *refresh(entries: readonly StoredEntry[]): SlicedWork<Difference> {
    return yield* this.#apply(yield* afterRefresh(this, entries));
  }

  /** Adds or changes entries, and removes those of some UUIDs with their subtrees. */
  *change(put: Iterable<StoredEntry>, removed: Iterable<string>): SlicedWork<Difference> {
    return yield* this.#apply(yield* afterChange(this, put, removed));
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
      if (before && after && before.dn !== after.dn) this.#reorder(after, reads);
      if (after) this.#byUuid.set(uuid, after);
      else this.#byUuid.delete(uuid);
      changed.set(uuid, (after ?? before)?.dn ?? "");
      yield progress(changed.size);
    }
    return { changed, reads };
  }

  #unname(entry: MirrorEntry, after: MirrorEntry | undefined, reads: Set<Read>): void {
    this.#byName.delete(entry.normal, entry.uuid);
    reads.add(nameRead(entry.normal));
    if (entry.parent === undefined || entry.parent === after?.parent) return;
    this.#children.delete(entry.parent, entry.uuid);
    reads.add(childrenRead(entry.parent));
  }

  #name(entry: MirrorEntry, before: MirrorEntry | undefined, reads: Set<Read>): void {
    this.#byName.add(entry.normal, entry.uuid);
    reads.add(nameRead(entry.normal));
    if (entry.parent === undefined || entry.parent === before?.parent) return;
    this.#children.add(entry.parent, entry.uuid);
    reads.add(childrenRead(entry.parent));
  }

  /** Adds the reads whose answers contain an entry with a new DN: its place in their order may have changed. */
  #reorder({ parent, attributes }: MirrorEntry, reads: Set<Read>): void {
    if (parent !== undefined) reads.add(childrenRead(parent));
    for (const read of this.#values.readsOf(attributes)) reads.add(read);
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

/** The most answers that are kept: all answers of a refresh together may be as large as the directory. */
const mostAnswers = 10_000;

/** The order of DNs. Namesakes are ordered by their spelling. */
function byName(a: MirrorEntry, b: MirrorEntry): number {
  if (a.normal !== b.normal) return a.normal < b.normal ? -1 : 1;
  return a.dn < b.dn ? -1 : 1;
}
