import type { DatabaseSync } from "node:sqlite";
import type { ServiceReport } from "../../core/stream/report.ts";
import { prepared } from "./prepared.ts";

/**
 * Messages about a service's rows that no trusted key has signed, and orders of users that may give none.
 * They are refused, and counted for status.
 */

/** Counts one. In the caller's transaction. */
export function countStranger(database: DatabaseSync, service: string, why: string, now: number): void {
  prepared(
    database,
    `INSERT INTO stranger (service, count, why, at) VALUES (?, 1, ?, ?)
       ON CONFLICT (service) DO UPDATE SET count = count + 1, why = excluded.why, at = excluded.at`,
  ).run(service, why, now);
}

/** How many there were, and what was wrong with the last one; undefined when there was none. */
export function strangersOf(database: DatabaseSync, service: string): ServiceReport["strangers"] {
  const found = prepared(database, "SELECT count, why, at FROM stranger WHERE service = ?").get(service);
  return found && { count: Number(found.count), why: String(found.why), at: Number(found.at) };
}
