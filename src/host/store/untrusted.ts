import type { DatabaseSync } from "node:sqlite";
import type { ServiceReport } from "../../core/stream/report.ts";
import { prepared } from "./prepared.ts";

/**
 * The untrusted messages of one service, which are rejected and counted. They are messages about its rows and orders
 * without a signature by a trusted key, and messages of users that may not send them.
 */
export interface Untrusted {
  /** Counts one message. In the caller's transaction. */
  count(why: string, now: number): void;
  /** The number of messages, and the reason for the last one; undefined if there was none. */
  read(): ServiceReport["untrusted"];
}

/** Opens the count of untrusted messages of a service. */
export const untrustedOf = (database: DatabaseSync, service: string): Untrusted => ({
  count(why, now) {
    prepared(
      database,
      `INSERT INTO untrusted (service, count, why, at) VALUES (?, 1, ?, ?)
       ON CONFLICT (service) DO UPDATE SET count = count + 1, why = excluded.why, at = excluded.at`,
    ).run(service, why, now);
  },
  read() {
    const found = prepared(database, "SELECT count, why, at FROM untrusted WHERE service = ?").get(service);
    return found && { count: Number(found.count), why: String(found.why), at: Number(found.at) };
  },
});
