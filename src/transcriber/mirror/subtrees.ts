import { rdnTexts } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Schema } from "../../core/directory/schema.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import { type MirrorEntry, mirrored } from "./mirror-entry.ts";
import { childrenOf, type Namesakes } from "./namesakes.ts";

/** The mirror before a change. */
interface Before {
  get(uuid: string): MirrorEntry | undefined;
  readonly schema: Schema;
  namesakes(normal: string): Namesakes;
  below(normal: string): readonly MirrorEntry[];
  entries(): Iterable<MirrorEntry>;
}

/** The entries after a change, by UUID; undefined for a removed one. */
export type Outcome = Map<string, MirrorEntry | undefined>;

/** The outcome of a refresh: a source delivers the whole directory. */
export function* afterRefresh(directory: Before, entries: readonly StoredEntry[]): SlicedWork<Outcome> {
  const outcome: Outcome = new Map();
  for (const entry of entries) {
    outcome.set(entry.uuid, mirrored(entry, directory.schema, directory.get(entry.uuid)));
    yield { what: "comparing the directory", done: outcome.size, of: entries.length };
  }
  for (const { uuid } of directory.entries()) {
    if (outcome.has(uuid)) continue;
    outcome.set(uuid, undefined);
    yield { what: "comparing the directory", done: entries.length, of: entries.length };
  }
  yield* oneEntryPerDn(outcome, new Set());
  return outcome;
}

/**
 * The outcome of a change of some entries. A directory reports only the top of a subtree that was removed or renamed. A
 * removed entry takes its subtree with it. A renamed one carries its subtree along, except for entries that the change
 * reports itself.
 */
export function* afterChange(
  directory: Before,
  put: Iterable<StoredEntry>,
  removed: Iterable<string>,
): SlicedWork<Outcome> {
  const outcome: Outcome = new Map();
  for (const entry of put) outcome.set(entry.uuid, mirrored(entry, directory.schema));
  const delivered = [...outcome];
  for (const uuid of removed) remove(directory, uuid, outcome);
  const carried = new Set<string>();
  for (const [uuid, after] of delivered) {
    const before = directory.get(uuid);
    if (before && after && before.dn !== after.dn) carry(directory, before, after, outcome, carried);
  }
  yield* oneEntryPerDn(outcome, carried);
  // An entry is removed if another now has the very same DN, even if the source does not report it. A namesake stays.
  for (const after of [...outcome.values()]) {
    for (const occupant of after ? directory.namesakes(after.normal).entries : [])
      if (occupant.dn === after?.dn && !outcome.has(occupant.uuid)) remove(directory, occupant.uuid, outcome);
  }
  return outcome;
}

/** Removes an entry with its subtree, except for the entries that the change reports. */
function remove(directory: Before, top: string, outcome: Outcome): void {
  const removed = [top];
  for (let uuid = removed.pop(); uuid !== undefined; uuid = removed.pop()) {
    if (!outcome.has(uuid)) outcome.set(uuid, undefined);
    const entry = directory.get(uuid);
    for (const child of entry ? ownChildren(directory, entry) : [])
      if (!outcome.has(child.uuid)) removed.push(child.uuid);
  }
}

/** The children of an entry. If it has a namesake, only those whose DN names it as their parent. */
const ownChildren = (directory: Before, entry: MirrorEntry): readonly MirrorEntry[] =>
  childrenOf(entry, directory.namesakes(entry.normal), directory.below(entry.normal));

function carry(directory: Before, from: MirrorEntry, to: MirrorEntry, outcome: Outcome, carried: Set<string>): void {
  const renamed: [before: MirrorEntry, after: MirrorEntry][] = [[from, to]];
  for (let next = renamed.pop(); next; next = renamed.pop()) {
    const [before, after] = next;
    for (const child of ownChildren(directory, before)) {
      if (outcome.has(child.uuid)) continue;
      const dn = `${rdnTexts(child.dn)[0] ?? ""},${after.dn}`;
      const carriedOn = mirrored({ ...child, dn }, directory.schema);
      outcome.set(child.uuid, carriedOn);
      carried.add(child.uuid);
      renamed.push([child, carriedOn]);
    }
  }
}

/**
 * Gives a DN to one entry only, if a source reports two with the very same DN. A reported entry wins over a carried
 * one, then the smaller UUID: the order of reports does not decide.
 */
function* oneEntryPerDn(outcome: Outcome, carried: ReadonlySet<string>): SlicedWork<void> {
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
