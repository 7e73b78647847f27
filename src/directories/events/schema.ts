import type { DatabaseSync } from "node:sqlite";
import { readSchema } from "../../sqlite/migrate.ts";

/** The tables of a directory that is made of events, `directory.db`. */
export const eventSchema = readSchema(new URL("migrations/", import.meta.url));

/** The one row about the directory itself. */
export interface Standing {
  /** The directory state, a CSN; each change has one above the last. */
  readonly state: string;
  /** True once a seed has given a whole content. Until then the content is unknown. */
  readonly complete: boolean;
  /** The time since which all events are stored whole, in milliseconds since 1970. */
  readonly keptSince: number;
}

/** Reads that row; undefined if it is missing. */
export function readStanding(database: DatabaseSync): Standing | undefined {
  const found = database.prepare("SELECT state, complete, kept_since FROM directory").get();
  return found && { state: String(found.state), complete: found.complete === 1, keptSince: Number(found.kept_since) };
}

export function writeStanding(database: DatabaseSync, { state, complete, keptSince }: Standing): void {
  database
    .prepare("INSERT OR REPLACE INTO directory (one, state, complete, kept_since) VALUES (1, ?, ?, ?)")
    .run(state, complete ? 1 : 0, keptSince);
}
