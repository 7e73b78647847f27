import type { DatabaseSync } from "node:sqlite";
import { distinctDn, identityOfDn, rdnTexts } from "../../core/directory/dn.ts";
import type { StoredEntry, Value } from "../../core/directory/entry.ts";
import type { DirectoryEvent } from "../../core/directory/event.ts";
import { isUuid } from "../../core/directory/identity.ts";
import type { KnownEntry } from "../../ports/directory.ts";
import { takeOver } from "../take-over.ts";

/** The entries on disk, which events change. */
export interface Content {
  /** Applies an event to the content. Throws, without any change, if the event would make an impossible name. */
  apply(event: DirectoryEvent): void;
  /** Makes these entries the whole content. */
  replace(entries: Iterable<StoredEntry>): void;
  /** All entries. For an unchanged entry that the caller holds, it gives the held object. */
  all(known?: KnownEntry): StoredEntry[];
  /** The entries that were added, changed and removed since the last call. */
  changed(): { put: StoredEntry[]; removed: string[] };
  /** Forgets the changes since the last call of `changed`, as their transaction was rolled back. */
  forget(): void;
}

/** An entry with its place in the tree. */
interface Placed {
  readonly entry: StoredEntry;
  readonly path: string;
}

/** Opens the content of a database. Its methods run in the caller's transactions. */
export function storedContent(database: DatabaseSync): Content {
  const byUuid = database.prepare("SELECT path, body, uuid FROM entry WHERE uuid = ?");
  const byPath = database.prepare("SELECT path, body, uuid FROM entry WHERE path = ?");
  // In the order of characters "-" is the next one after the "," between components.
  const byTop = database.prepare("SELECT path, body, uuid FROM entry WHERE path > ? || ',' AND path < ? || '-'");
  const insert = database.prepare("INSERT INTO entry (uuid, path, body) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM entry WHERE uuid = ?");
  const under = (path: string): Placed[] => byTop.all(path, path).map(readPlaced);
  const at = (path: string): Placed | undefined => first(byPath.all(path));
  const byId = (uuid: string): Placed | undefined => first(byUuid.all(uuid));

  let put = new Map<string, StoredEntry>();
  let removed = new Set<string>();
  /** The paths of removed entries: the entries below them may have to be delivered again. */
  let emptied = new Set<string>();

  function forget(): void {
    [put, removed, emptied] = [new Map(), new Set(), new Set()];
  }

  function erase({ entry: { uuid }, path }: Placed): void {
    remove.run(uuid);
    put.delete(uuid);
    removed.add(uuid);
    emptied.add(path);
  }

  function eraseTree(top: Placed): void {
    for (const one of [...under(top.path), top]) erase(one);
  }

  function write({ entry, path }: Placed): void {
    for (const other of [byId(entry.uuid), at(path)]) {
      if (other && (other.path !== path || other.entry.uuid !== entry.uuid)) erase(other);
    }
    remove.run(entry.uuid);
    insert.run(entry.uuid, path, bodyOf(entry));
    removed.delete(entry.uuid);
    put.set(entry.uuid, entry);
  }

  /** The entry of an event: by its uuid, or by its name if the entry or the event has no uuid. */
  function entryOf({ before, after }: DirectoryEvent): Placed | undefined {
    const said = [before, after].filter((side) => side !== undefined);
    for (const { uuid } of said) {
      const found = isUuid(uuid) ? byId(uuid) : undefined;
      if (found) return found;
    }
    for (const { uuid, dn } of said) {
      const found = at(pathOf(dn));
      if (found && !(isUuid(uuid) && isUuid(found.entry.uuid))) return found;
    }
    return undefined;
  }

  function place(after: StoredEntry, was: Placed | undefined): void {
    const path = pathOf(after.dn);
    const occupant = at(path);
    const uuid = [after.uuid, was?.entry.uuid, occupant?.entry.uuid].find((text) => text && isUuid(text)) ?? after.uuid;
    const below = was && was.path !== path ? under(was.path) : [];
    const carried = was ? below.map(({ entry }) => carry(entry, was.entry.dn, after.dn)) : [];

    for (const one of below) erase(one);
    if (was && (was.path !== path || was.entry.uuid !== uuid)) erase(was);
    // Two entries never have one name: an earlier one is removed with all below it, unless only its uuid differs.
    const isOther = occupant && occupant.entry.uuid !== uuid && isUuid(occupant.entry.uuid) && isUuid(uuid);
    if (isOther && at(path)) eraseTree(occupant);
    write({ entry: { ...after, uuid }, path });
    for (const one of carried) write(one);
  }

  return {
    apply(event) {
      const was = entryOf(event);
      if (event.after) place(event.after, was);
      else if (was) eraseTree(was);
    },
    replace(entries) {
      database.exec("DELETE FROM entry");
      for (const entry of entries) insert.run(entry.uuid, pathOf(entry.dn), bodyOf(entry));
    },
    all(known) {
      // One by one: all rows at once would take as much memory again as the entries.
      const rows = database.prepare("SELECT path, body, uuid FROM entry").iterate();
      return Array.from(rows, (row) => takeOver(readPlaced(row).entry, known));
    },
    changed() {
      // A mirror removes all entries below a removed name, so the entries that remain there are delivered again.
      for (const path of emptied) {
        for (const { entry } of under(path)) if (!put.has(entry.uuid)) put.set(entry.uuid, entry);
      }
      const told = { put: [...put.values()], removed: [...removed] };
      forget();
      return told;
    },
    forget,
  };
}

const first = (rows: Record<string, unknown>[]): Placed | undefined => (rows[0] ? readPlaced(rows[0]) : undefined);

/**
 * Stores the places and identities of entries by the present rules for names, in the caller's transaction. An earlier
 * version compared otherwise, so an event with such a name would not find its entry. Names in lower case of ASCII, with
 * no escape and no double space, are the same under all versions.
 */
export function updatePaths(database: DatabaseSync): void {
  const named = "SELECT uuid, path, CASE WHEN json_valid(body) THEN json_extract(body, '$[0]') END AS dn FROM entry";
  const others = database.prepare(
    `SELECT uuid, path, dn FROM (${named}) WHERE dn GLOB '*[^ -@[-~]*' OR instr(dn, '\\') OR instr(dn, '  ')`,
  );
  const update = database.prepare("UPDATE OR IGNORE entry SET path = ?, uuid = ? WHERE uuid = ?");
  for (const row of others.all()) {
    const [dn, uuid] = [String(row.dn), String(row.uuid)];
    const right = pathOf(dn);
    if (right !== row.path) update.run(right, isUuid(uuid) ? uuid : identityOfDn(dn), uuid);
  }
}

/**
 * A distinct DN with its components reversed: two names that a server may hold apart are two places. In sorted order,
 * all names below a name follow it directly.
 */
const pathOf = (dn: string): string => distinctDn(dn).split(",").reverse().join(",");

/** Moves an entry that is below a renamed one. */
function carry(entry: StoredEntry, from: string, to: string): Placed {
  const own = rdnTexts(entry.dn).slice(0, -rdnTexts(from).length);
  const dn = [...own, to].join(",");
  return { entry: { ...entry, uuid: isUuid(entry.uuid) ? entry.uuid : identityOfDn(dn), dn }, path: pathOf(dn) };
}

const bodyOf = ({ dn, attributes }: StoredEntry): string =>
  JSON.stringify([dn, [...attributes].map(([name, values]) => [name, values.map(written)])]);

const written = (value: Value) =>
  typeof value === "string" ? value : { base64: Buffer.from(value).toString("base64") };

type Body = [dn: string, attributes: [name: string, values: (string | { base64: string })[]][]];

function readPlaced({ path, body, uuid }: Record<string, unknown>): Placed {
  const [dn, attributes] = JSON.parse(String(body)) as Body;
  const read = attributes.map(([name, values]): [string, Value[]] => [
    name,
    values.map((held) => (typeof held === "string" ? held : new Uint8Array(Buffer.from(held.base64, "base64")))),
  ]);
  return { entry: { uuid: String(uuid), dn, attributes: new Map(read) }, path: String(path) };
}
