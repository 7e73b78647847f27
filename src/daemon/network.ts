import type { DatabaseSync } from "node:sqlite";
import { type ReportMessage, reportMessage } from "../core/report.ts";
import type { TranscriberState } from "../transcriber/transcriber.ts";

/** What a transcriber keeps, in its host's store, of the network: the last report of each host, and what it says of itself. */

export function createNetworkTables(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS report (host TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS transcriber (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL) STRICT;
  `);
}

export function keepReport(database: DatabaseSync, report: ReportMessage): void {
  database.prepare("INSERT OR REPLACE INTO report (host, body) VALUES (?, ?)").run(report.host, JSON.stringify(report));
}

export function keepTranscriberState(database: DatabaseSync, state: TranscriberState): void {
  database.prepare("INSERT OR REPLACE INTO transcriber (one, body) VALUES (1, ?)").run(JSON.stringify(state));
}

export const readReports = (database: DatabaseSync): ReportMessage[] =>
  database
    .prepare("SELECT body FROM report ORDER BY host")
    .all()
    .map(({ body }) => reportMessage.parse(JSON.parse(String(body))));

export function readTranscriberState(database: DatabaseSync): TranscriberState | undefined {
  const found = database.prepare("SELECT body FROM transcriber").get();
  return found ? JSON.parse(String(found.body)) : undefined;
}
