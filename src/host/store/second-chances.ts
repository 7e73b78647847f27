import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import { retainedRows } from "./row-sets.ts";

/** A row that a check refused. */
export interface CheckRefusedRow {
  readonly key: string;
  readonly desired: string | null;
  readonly applied: string | null;
  /** The time since which it waits, milliseconds since 1970. */
  readonly since: number;
}

/** The rows of one service that a check refused, and that are tried again. */
export interface SecondChances {
  waiting(): CheckRefusedRow[];
  /** Gives these keys to the next run, in one transaction. */
  release(keys: Iterable<string>): void;
  /** Writes the time since which a row waits, if a check refused it again. */
  keepSince(key: string, since: number): void;
}

/** Opens the rows of a service that a check refused. */
export const secondChancesOf = (database: DatabaseSync, service: string): SecondChances => ({
  waiting: () =>
    prepared(database, `SELECT key, desired, applied, since FROM ${retainedRows} AND retained_by = 'check'`).all(
      service,
    ) as unknown as CheckRefusedRow[],
  release: (keys) =>
    transaction(database, () => {
      const release = prepared(
        database,
        `UPDATE row SET retained_by = NULL, detail = NULL, since = NULL
         WHERE service = ? AND key = ? AND retained_by = 'check'`,
      );
      for (const key of keys) release.run(service, key);
    }),
  keepSince(key, since) {
    const text = "UPDATE row SET since = ? WHERE service = ? AND key = ? AND retained_by = 'check'";
    prepared(database, text).run(since, service, key);
  },
});
