import { rdnTexts } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import { type MirrorEntry, mirrored } from "./mirror-entry.ts";
import { parentAsWritten } from "./namesakes.ts";

/** The entries as they stood before a change. */
interface Before {
  get(uuid: string): MirrorEntry | undefined;
  bearers(normal: string): MirrorEntry[];
  below(normal: string): readonly MirrorEntry[];
  entries(): Iterable<MirrorEntry>;
}

/** What entries become by one change: undefined for those that go. */
export type Outcome = Map<string, MirrorEntry | undefined>;

/** What the mirror's entries become when a source delivers the whole directory. */
export function* afterRefresh(directory: Before, entries: readonly StoredEntry[]): SlicedWork<Outcome> {
  const outcome: Outcome = new Map();
  for (const entry of entries) {
    outcome.set(entry.uuid, mirrored(entry, directory.get(entry.uuid)));
    yield { what: "comparing the directory", done: outcome.size, of: entries.length };
  }
  for (const { uuid } of directory.entries()) {
    if (outcome.has(uuid)) continue;
    outcome.set(uuid, undefined);
    yield { what: "comparing the directory", done: entries.length, of: entries.length };
  }
  yield* oneEntryToAName(outcome, new Set());
  return outcome;
}

/**
 * What the mirror's entries become by a change of some of them. A directory names only the top of what moved or went:
 * an entry that is gone takes its subtree along, and a renamed one carries its subtree, but for the entries that the change delivers itself.
 */
export function* afterChange(
  directory: Before,
  put: Iterable<StoredEntry>,
  gone: Iterable<string>,
): SlicedWork<Outcome> {
  const outcome: Outcome = new Map();
  for (const entry of put) outcome.set(entry.uuid, mirrored(entry));
  const delivered = [...outcome];
  for (const uuid of gone) take(directory, uuid, outcome);
  const carried = new Set<string>();
  for (const [uuid, after] of delivered) {
    const before = directory.get(uuid);
    if (before && after && before.dn !== after.dn) carry(directory, before, after, outcome, carried);
  }
  yield* oneEntryToAName(outcome, carried);
  // An entry is gone where another now has its very name, though the source did not say so. A name that is only the same to us is another's.
  for (const after of [...outcome.values()]) {
    for (const occupant of after ? directory.bearers(after.normal) : [])
      if (occupant.dn === after?.dn && !outcome.has(occupant.uuid)) take(directory, occupant.uuid, outcome);
  }
  return outcome;
}

/** Takes an entry's subtree, and the entry itself unless it has come again, down to what is delivered elsewhere. */
function take(directory: Before, top: string, outcome: Outcome): void {
  const going = [top];
  for (let uuid = going.pop(); uuid !== undefined; uuid = going.pop()) {
    if (!outcome.has(uuid)) outcome.set(uuid, undefined);
    const entry = directory.get(uuid);
    for (const child of entry ? own(directory, entry) : []) if (!outcome.has(child.uuid)) going.push(child.uuid);
  }
}

/** The entries directly below an entry. If it has a namesake, only those that spell its name alike. */
function own(directory: Before, entry: MirrorEntry): readonly MirrorEntry[] {
  const below = directory.below(entry.normal);
  return directory.bearers(entry.normal).length < 2
    ? below
    : below.filter(({ dn }) => parentAsWritten(dn) === entry.dn);
}

function carry(directory: Before, from: MirrorEntry, to: MirrorEntry, outcome: Outcome, carried: Set<string>): void {
  const moves: [before: MirrorEntry, after: MirrorEntry][] = [[from, to]];
  for (let move = moves.pop(); move; move = moves.pop()) {
    const [before, after] = move;
    for (const child of own(directory, before)) {
      if (outcome.has(child.uuid)) continue;
      const moved = mirrored({ ...child, dn: `${rdnTexts(child.dn)[0] ?? ""},${after.dn}` });
      outcome.set(child.uuid, moved);
      carried.add(child.uuid);
      moves.push([child, moved]);
    }
  }
}

/**
 * Leaves one entry to a name where a source gives the very same name to two.
 * A delivered entry comes before one that was carried along, then the smaller uuid: the order of delivery does not decide.
 */
function* oneEntryToAName(outcome: Outcome, carried: ReadonlySet<string>): SlicedWork<void> {
  let done = 0;
  const bearers = new Map<string, string>();
  const rank = (uuid: string): string => `${carried.has(uuid) ? 1 : 0}${uuid}`;
  for (const [uuid, entry] of outcome) {
    yield { what: "comparing the directory's names", done: ++done, of: outcome.size };
    if (!entry) continue;
    const other = bearers.get(entry.dn);
    const stays = other !== undefined && rank(other) < rank(uuid) ? other : uuid;
    if (other !== undefined) outcome.set(stays === other ? uuid : other, undefined);
    bearers.set(entry.dn, stays);
  }
}
