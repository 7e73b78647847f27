import type { DatabaseSync } from "node:sqlite";
import { prepared } from "./prepared.ts";

/** The reason why the changes of one service wait for other hosts, as status shows it. */
export interface WaveWait {
  /** The reason; undefined if the changes do not wait. */
  read(): string | undefined;
  write(why: string | undefined): void;
}

/** Opens the wait of a service. */
export const waveWaitOf = (database: DatabaseSync, service: string): WaveWait => ({
  read() {
    const found = prepared(database, "SELECT why FROM wave WHERE service = ?").get(service);
    return found && String(found.why);
  },
  write(why) {
    if (why === undefined) prepared(database, "DELETE FROM wave WHERE service = ?").run(service);
    else prepared(database, "INSERT OR REPLACE INTO wave (service, why) VALUES (?, ?)").run(service, why);
  },
});
