import type { StoredEntry } from "../../core/directory/entry.ts";
import { sameEntry } from "../../core/directory/same-entry.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { MirrorEntry } from "./mirror-entry.ts";
import { Multimap } from "./multimap.ts";
import { meant } from "./namesakes.ts";
import { type Comparison, childrenLook, type Look, nameLook, whereLook } from "./read-set.ts";
import { afterChange, afterRefresh, type Outcome } from "./subtrees.ts";
import { readDn, ValueIndex } from "./value-index.ts";

/** What a change moved: the entries that appeared, changed or went, and the looks to which the answer now differs. */
export interface Difference {
  /** By uuid, with the DN; the last one of those that went. */
  readonly changed: ReadonlyMap<string, string>;
  readonly looks: ReadonlySet<Look>;
}

/** The directory in memory: entries followed by their uuid, found by name, by parent and by value. */
export class Mirror {
  readonly #byUuid = new Map<string, MirrorEntry>();
  readonly #byName = new Multimap();
  readonly #children = new Multimap();
  readonly #values = new ValueIndex();
  /** Answers of several entries in their order, until the next change: thousands may ask for the same one. */
  readonly #answers = new Map<Look, readonly MirrorEntry[]>();

  get size(): number {
    return this.#byUuid.size;
  }

  get(uuid: string): MirrorEntry | undefined {
    return this.#byUuid.get(uuid);
  }

  /** The entries of a normal DN, in the order of their DNs: one or none. Several if their server tells names apart that are one here. */
  bearers(normal: string): MirrorEntry[] {
    return this.#inOrder(this.#byName.get(normal));
  }

  /** The entry that a DN means; a `Refusal` where it may be one of several. */
  named(dn: string): MirrorEntry | undefined {
    const normal = readDn(dn);
    return normal === undefined ? undefined : meant(this.bearers(normal), dn);
  }

  /** The entries directly below a normal DN, in the order of theirs. */
  below(normal: string): readonly MirrorEntry[] {
    return this.#answer(childrenLook(normal), () => this.#children.get(normal));
  }

  /** The entries that have a normal value in an attribute, in the order of their DNs. */
  where(comparison: Comparison, attribute: string, value: string): readonly MirrorEntry[] {
    return this.#answer(whereLook(comparison, attribute, value), () =>
      this.#values.find(comparison, attribute, value, () => this.#byUuid.values()),
    );
  }

  entries(): Iterable<MirrorEntry> {
    return this.#byUuid.values();
  }

  /** Makes the mirror hold just these entries. */
  *refresh(entries: readonly StoredEntry[]): SlicedWork<Difference> {
    return yield* this.#apply(yield* afterRefresh(this, entries));
  }

  /** Takes entries that appeared or changed, and the uuids of those that are gone: with their subtrees. */
  *change(put: Iterable<StoredEntry>, gone: Iterable<string>): SlicedWork<Difference> {
    return yield* this.#apply(yield* afterChange(this, put, gone));
  }

  /** Between its steps the mirror is neither what it was nor what it will be: nobody may look. */
  *#apply(outcome: Outcome): SlicedWork<Difference> {
    this.#answers.clear();
    const looks = new Set<Look>();
    const moves: { uuid: string; before: MirrorEntry | undefined; after: MirrorEntry | undefined }[] = [];
    const taken = (done: number) => ({ what: "taking the directory", done, of: moves.length });
    for (const [uuid, after] of outcome) {
      const before = this.#byUuid.get(uuid);
      const same = before && after ? sameEntry(before, after) : before === after;
      if (!same) moves.push({ uuid, before, after });
      yield taken(0);
    }
    // Every old name is given back before a new one is taken: entries may have swapped theirs.
    for (const { before, after } of moves) {
      if (before && before.normal !== after?.normal) this.#unname(before, after, looks);
      yield taken(0);
    }
    const changed = new Map<string, string>();
    for (const { uuid, before, after } of moves) {
      if (after && after.normal !== before?.normal) this.#name(after, before, looks);
      this.#values.move(uuid, before?.attributes, after?.attributes, looks);
      if (before && after && before.dn !== after.dn) this.#reorder(after, looks);
      if (after) this.#byUuid.set(uuid, after);
      else this.#byUuid.delete(uuid);
      changed.set(uuid, (after ?? before)?.dn ?? "");
      yield taken(changed.size);
    }
    return { changed, looks };
  }

  #unname(entry: MirrorEntry, after: MirrorEntry | undefined, looks: Set<Look>): void {
    this.#byName.delete(entry.normal, entry.uuid);
    looks.add(nameLook(entry.normal));
    if (entry.parent === undefined || entry.parent === after?.parent) return;
    this.#children.delete(entry.parent, entry.uuid);
    looks.add(childrenLook(entry.parent));
  }

  #name(entry: MirrorEntry, before: MirrorEntry | undefined, looks: Set<Look>): void {
    this.#byName.add(entry.normal, entry.uuid);
    looks.add(nameLook(entry.normal));
    if (entry.parent === undefined || entry.parent === before?.parent) return;
    this.#children.add(entry.parent, entry.uuid);
    looks.add(childrenLook(entry.parent));
  }

  /** An entry of another name may have another place among those it is handed out with. */
  #reorder({ parent, attributes }: MirrorEntry, looks: Set<Look>): void {
    if (parent !== undefined) looks.add(childrenLook(parent));
    for (const look of this.#values.looksAt(attributes)) looks.add(look);
  }

  #answer(look: Look, uuids: () => Iterable<string>): readonly MirrorEntry[] {
    const known = this.#answers.get(look);
    if (known) return known;
    const found = this.#inOrder(uuids());
    if (found.length > 1 && this.#answers.size < mostAnswers) this.#answers.set(look, found);
    return found;
  }

  #inOrder(uuids: Iterable<string>): MirrorEntry[] {
    const entries = [...uuids].flatMap((uuid) => this.#byUuid.get(uuid) ?? []);
    return entries.length < 2 ? entries : entries.sort(byName);
  }
}

/** The most answers that are kept: the questions of one change of a whole directory may be as large as the directory. */
const mostAnswers = 10_000;

/** Namesakes stand in the order of their spelling. */
function byName(a: MirrorEntry, b: MirrorEntry): number {
  if (a.normal !== b.normal) return a.normal < b.normal ? -1 : 1;
  return a.dn < b.dn ? -1 : 1;
}
