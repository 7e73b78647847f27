import type { DatabaseSync } from "node:sqlite";
import { daemonCompared, type ServiceReport } from "../../core/stream/report.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import { readJson } from "./read-json.ts";

/**
 * The newest comparison that a person asked for. It has the time of the question (milliseconds since 1970), whether the
 * table differed, and how the daemon compared.
 */
export type Verified = NonNullable<ServiceReport["verified"]>;

/** The newest comparison of one service. */
export interface Verifications {
  /** Undefined if there was none. */
  read(): Verified | undefined;
  write(verified: Verified): void;
}

/** Opens the newest comparison of a service. */
export const verificationsOf = (database: DatabaseSync, service: string): Verifications => ({
  read: () => readVerified(database, service),
  write: (verified) => transaction(database, () => writeVerified(database, service, verified)),
});

function writeVerified(database: DatabaseSync, service: string, { asked, differed, daemon }: Verified): void {
  const text = "INSERT OR REPLACE INTO verified (service, asked, differed) VALUES (?, ?, ?)";
  prepared(database, text).run(service, asked, Number(differed));
  if (!daemon) return;
  const said = "INSERT OR REPLACE INTO verified_daemon (service, asked, said) VALUES (?, ?, ?)";
  prepared(database, said).run(service, asked, JSON.stringify(daemon));
}

function readVerified(database: DatabaseSync, service: string): Verified | undefined {
  const found = prepared(
    database,
    `SELECT asked, differed, said FROM verified LEFT JOIN verified_daemon USING (service, asked) WHERE service = ?`,
  ).get(service);
  if (!found) return undefined;
  const daemon = readJson(daemonCompared, found.said);
  return { asked: Number(found.asked), differed: found.differed === 1, ...(daemon && { daemon }) };
}
