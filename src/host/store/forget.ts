import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/open.ts";
import { knownServices } from "./facts.ts";
import { recordsOf } from "./owned.ts";
import { prepared } from "./prepared.ts";

/** The remains of a forgotten service on its machine, which trigger no longer changes. */
export interface LeftThere {
  readonly service: string;
  /** Rows that were applied. */
  readonly rows: number;
  /** The number of its plain messages, waiting or parked, that are removed with it. */
  readonly messages: number;
  readonly files: readonly string[];
  /** Records of a daemon, by name. */
  readonly records: readonly string[];
}

/** The remains of a service that its host no longer runs; undefined if the store does not know it. */
export function leftBy(database: DatabaseSync, service: string): LeftThere | undefined {
  if (!knownServices(database).includes(service)) return undefined;
  const count = (sql: string): number => Number(prepared(database, sql).get(service)?.count ?? 0);
  const files = prepared(
    database,
    "SELECT path FROM install_path WHERE service = ? AND applied IS NOT NULL ORDER BY path",
  )
    .all(service)
    .map(({ path }) => String(path));
  return {
    service,
    rows: count("SELECT count(*) AS count FROM row WHERE service = ? AND applied IS NOT NULL"),
    messages: count("SELECT count(*) AS count FROM message WHERE service = ?"),
    files,
    // A file that was taken over is also owned by its path.
    records: [...recordsOf(database, service).names()].filter((name) => !files.includes(name)).sort(),
  };
}

/** Removes all data of a service from a store. */
export function forgetService(database: DatabaseSync, service: string): void {
  transaction(database, () => {
    prepared(database, "DELETE FROM install_edit WHERE path IN (SELECT path FROM install_path WHERE service = ?)").run(
      service,
    );
    for (const table of tablesOfServices(database))
      prepared(database, `DELETE FROM ${table} WHERE service = ?`).run(service);
    prepared(database, "DELETE FROM service WHERE name = ?").run(service);
  });
}

/** The tables with data of services, except `service` and `install_edit`, which have no column of that name. */
export const tablesOfServices = (database: DatabaseSync): string[] =>
  prepared(
    database,
    `SELECT t.schema || '.' || t.name AS name FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.schema) AS c
       WHERE t.type = 'table' AND c.name = 'service'`,
  )
    .all()
    .map(({ name }) => String(name));
