import type { DatabaseSync } from "node:sqlite";
import { createTables } from "../../sqlite/tables.ts";

/** What a directory made of events keeps on disk. */
const schema = `
  CREATE TABLE IF NOT EXISTS directory (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    state TEXT NOT NULL,
    complete INTEGER NOT NULL,
    kept_since INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS entry (uuid TEXT PRIMARY KEY, path TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS heard (position INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS event (
    position INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    total INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS event_total ON event (total);
  CREATE TABLE IF NOT EXISTS aside (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    hash BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    why TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
`;

/** How the directory stands, in one row. */
export interface Standing {
  /** The directory state, a CSN; each change has one above the last. */
  readonly state: string;
  /** Whether it was given a whole content once: until then it is not known what there is. */
  readonly complete: boolean;
  /** From when on every event that was taken is still known, milliseconds since 1970. */
  readonly keptSince: number;
}

/** Makes the tables that are not there yet, in the caller's transaction. */
export function createEventTables(database: DatabaseSync, first: Standing): void {
  createTables(database, (it) => it.exec(schema));
  if (!readStanding(database)) writeStanding(database, first);
}

/** How the directory stands; undefined where there is none. */
export function readStanding(database: DatabaseSync): Standing | undefined {
  const found = database.prepare("SELECT state, complete, kept_since FROM directory").get();
  return found && { state: String(found.state), complete: found.complete === 1, keptSince: Number(found.kept_since) };
}

export function writeStanding(database: DatabaseSync, { state, complete, keptSince }: Standing): void {
  database
    .prepare("INSERT OR REPLACE INTO directory (one, state, complete, kept_since) VALUES (1, ?, ?, ?)")
    .run(state, complete ? 1 : 0, keptSince);
}
