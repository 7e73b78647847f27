import type { DatabaseSync } from "node:sqlite";
import type { Owned } from "../core/host.ts";
import { transaction } from "../sqlite/open.ts";

/**
 * Which records of a shared daemon a service wrote. A host keeps it in a file of its own beside its store, which may be deleted without loss:
 * the rows come again from the transcriber, and nobody else knows which records of a daemon are ours.
 */
const schemaIn = (file: string): string => `
  CREATE TABLE IF NOT EXISTS ${file}.owned (
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL, -- ours, gone (given up, with what it last was), held (somebody else's, in our way)
    record TEXT,
    since INTEGER NOT NULL,
    PRIMARY KEY (service, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS ${file}.owned_state ON owned (service, since) WHERE state <> 'ours';
`;

/** What was given up is known for as long as a backup is likely to bring it back, in milliseconds: 60 days. */
const goneMemory = 60 * 24 * 60 * 60_000;

/** The name under which the file is attached. */
const apart = "own";

/** Attaches to a store the file in which it remembers what is its own; not within a transaction. */
export function attachOwned(database: DatabaseSync, file: string): void {
  database.prepare(`ATTACH ? AS ${apart}`).run(file);
}

/** Makes its table, in the file that is attached; in the store itself where none is. */
export function createOwnedTables(database: DatabaseSync): void {
  const attached = database.prepare("SELECT 1 FROM pragma_database_list WHERE name = ?").get(apart);
  database.exec(schemaIn(attached ? apart : "main"));
  if (!attached) return;
  // A store of before that has it in itself.
  const within = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'owned'").get();
  if (within) database.exec(`INSERT OR IGNORE INTO ${apart}.owned SELECT * FROM main.owned; DROP TABLE main.owned`);
}

/** A service's own records. */
export function ownedBy(database: DatabaseSync, service: string, now: () => number): Owned {
  // A full run asks for every record of the daemon.
  const write = database.prepare(
    "INSERT OR REPLACE INTO owned (service, name, state, record, since) VALUES (?, ?, ?, ?, ?)",
  );
  const read = database.prepare("SELECT state, record FROM owned WHERE service = ? AND name = ?");
  const put = (state: string, name: string, record: string | null): void =>
    void write.run(service, name, state, record, now());
  const within = (work: () => void): void => (database.isTransaction ? work() : transaction(database, work));
  return {
    has(name, record) {
      const row = read.get(service, name);
      return row?.state === "ours" || (row?.state === "gone" && row.record === record);
    },
    names: () => ownNames(database, service),
    claim: (names) =>
      within(() => {
        for (const name of names) put("ours", name, null);
      }),
    release: (records) =>
      within(() => {
        for (const [name, record] of records) put("gone", name, record);
        database
          .prepare("DELETE FROM owned INDEXED BY owned_state WHERE service = ? AND state <> 'ours' AND since < ?")
          .run(service, now() - goneMemory);
      }),
    hold: (names) =>
      within(() => {
        for (const name of names) put("held", name, null);
      }),
  };
}

/** Takes over everything of somebody else's that stands in the way of a service's own. */
export function takeOverHeld(database: DatabaseSync, service: string): void {
  database.prepare("UPDATE owned SET state = 'ours' WHERE service = ? AND state = 'held'").run(service);
}

/** Whether something of somebody else's stands in a service's way under this name. */
export const isHeld = (database: DatabaseSync, service: string, name: string): boolean =>
  database.prepare("SELECT state FROM owned WHERE service = ? AND name = ?").get(service, name)?.state === "held";

/** The names that are a service's own. */
export const ownNames = (database: DatabaseSync, service: string): Set<string> =>
  new Set(
    database
      .prepare("SELECT name FROM owned WHERE service = ? AND state = 'ours'")
      .all(service)
      .map(({ name }) => String(name)),
  );

/** The same, on a machine where nothing is changed: what would be claimed is not remembered. */
export const noted = (owned: Owned): Owned => {
  const claimed = new Set<string>();
  return {
    has: (name, record) => claimed.has(name) || owned.has(name, record),
    names: () => new Set([...owned.names(), ...claimed]),
    claim(names) {
      for (const name of names) claimed.add(name);
    },
    release: () => {},
    hold: () => {},
  };
};
