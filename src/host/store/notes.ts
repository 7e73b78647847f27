import type { DatabaseSync } from "node:sqlite";
import { prepared } from "./prepared.ts";

/** The texts that a service keeps on its host from run to run (`host.memory`). */
export interface Notes {
  read(name: string): string | undefined;
  write(name: string, text: string): void;
}

/** Opens the notes of a service. */
export const notesOf = (database: DatabaseSync, service: string): Notes => ({
  read(name) {
    const found = prepared(database, "SELECT text FROM note WHERE service = ? AND name = ?").get(service, name);
    return found && String(found.text);
  },
  write(name, text) {
    prepared(database, "INSERT OR REPLACE INTO note (service, name, text) VALUES (?, ?, ?)").run(service, name, text);
  },
});
