import type { DatabaseSync } from "node:sqlite";
import type { Rows } from "../../core/service/service.ts";
import { isRefused } from "../../core/stream/cells.ts";
import type { Columns } from "../../core/util/json.ts";
import { overlayRows } from "./overlay-rows.ts";
import { prepared } from "./prepared.ts";
import { pendingRows } from "./row-sets.ts";

/** A pending row, or a retained one, as a run reads it. */
export interface RunRow {
  readonly key: string;
  readonly desired: string | null;
  readonly applied: string | null;
  readonly retained_by: string | null;
  readonly doubt: number;
}

/** The input of the last successful run, overlaid with that of the present one. */
export function currentRows(database: DatabaseSync, service: string): Rows<Columns> {
  const text = "CASE WHEN doubt = 1 THEN tried ELSE applied END";
  const page = prepared(
    database,
    `SELECT key, ${text} AS text FROM row WHERE service = ? AND key > ? AND ${text} IS NOT NULL ORDER BY key LIMIT 1000`,
  );
  const one = prepared(database, `SELECT ${text} AS text FROM row WHERE service = ? AND key = ?`);
  const count = prepared(database, `SELECT count(*) AS rows FROM row WHERE service = ? AND ${text} IS NOT NULL`);

  function* entries(): Generator<readonly [string, Columns]> {
    // Read in pages, because an open iterator would keep the write-ahead log from being emptied.
    for (let after = ""; ; ) {
      const rows = page.all(service, after) as { key: string; text: string }[];
      for (const row of rows) yield [row.key, JSON.parse(row.text)];
      const last = rows.at(-1);
      if (!last) return;
      after = last.key;
    }
  }
  return {
    get size() {
      return Number(count.get(service)?.rows ?? 0);
    },
    get(key) {
      const found = one.get(service, key) as { text: string | null } | undefined;
      return parseRow(found?.text ?? null);
    },
    entries,
    *[Symbol.iterator]() {
      for (const [, row] of entries()) yield row;
    },
  };
}

/** The rows of the next run, if none is under way. */
export function wantedRows(database: DatabaseSync, service: string): Rows<Columns> {
  const pending = prepared(database, `SELECT key, desired, applied, retained_by, doubt FROM ${pendingRows}`).all(
    service,
  ) as unknown as RunRow[];
  return overlayRows(currentRows(database, service), new Map(pending.map((row) => [row.key, parseRow(targetOf(row))])));
}

/** The rows of the last successful run. */
export function appliedRows(database: DatabaseSync, service: string): Rows<Columns> {
  const doubted = prepared(database, `SELECT key, applied FROM ${pendingRows} AND doubt = 1`).all(
    service,
  ) as unknown as RunRow[];
  return overlayRows(
    currentRows(database, service),
    new Map(doubted.map(({ key, applied }) => [key, parseRow(applied)])),
  );
}

/** The value of a row for a run; null if it is not desired, or refused and not retained. */
export function targetOf({ retained_by, desired, applied }: RunRow): string | null {
  if (retained_by !== null) return applied;
  return desired !== null && isRefused(desired) ? null : desired;
}

/** The columns of a stored row; undefined for none. */
export const parseRow = (text: string | null): Columns | undefined => (text === null ? undefined : JSON.parse(text));
