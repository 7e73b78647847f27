import type { DatabaseSync } from "node:sqlite";
import type { RetainedBy } from "../../core/stream/reasons.ts";
import { prepared } from "./prepared.ts";
import type { Retained } from "./retained.ts";
import { conflictRows, pendingRows, retainedRows } from "./row-sets.ts";

/** A desired row that is not applied: the last good one is retained, or there is none. */
export interface RetainedRow extends Retained {
  readonly key: string;
  /** The time since which it is retained, milliseconds since 1970. */
  readonly since: number;
  /** True if the last good row is retained. */
  readonly retained: boolean;
}

/** A row that waits for a run, as texts. */
export interface PendingRow {
  readonly desired: string | null;
  readonly applied: string | null;
}

/** The rows of one service for people and for the loop; nothing is written. */
export interface RowsSeen {
  /** True if a row waits for a run; with `inDoubt`, only if a run has tried it. */
  isPending(which?: "inDoubt"): boolean;
  /** The rows that wait for a run, by key. */
  pending(): PendingRow[];
  countPending(): number;
  countRetained(): number;
  countConflicts(): number;
  /** The first retained rows by key, at most `most`. */
  retained(most: number): RetainedRow[];
  /** True if a desired row has this value in a column. */
  isWanted(column: string, value: string): boolean;
}

/** Opens the rows of a service for reading. */
export function rowsSeen(database: DatabaseSync, service: string): RowsSeen {
  const count = (rows: string): number =>
    Number(prepared(database, `SELECT count(*) AS rows FROM ${rows}`).get(service)?.rows ?? 0);
  return {
    isPending(which) {
      const and = which === "inDoubt" ? "AND doubt = 1" : "";
      return prepared(database, `SELECT 1 FROM ${pendingRows} ${and} LIMIT 1`).get(service) !== undefined;
    },
    pending: () =>
      prepared(database, `SELECT desired, applied FROM ${pendingRows} ORDER BY key`).all(
        service,
      ) as unknown as PendingRow[],
    countPending: () => count(pendingRows),
    countRetained: () => count(retainedRows),
    countConflicts: () => count(conflictRows),
    retained: (most) =>
      prepared(
        database,
        `SELECT key, retained_by, detail, since, applied IS NOT NULL AS retained FROM ${retainedRows} ORDER BY key LIMIT ?`,
      )
        .all(service, most)
        .map(({ key, retained_by: by, detail, since, retained }) => ({
          ...{ key: String(key), by: by as RetainedBy, detail: String(detail) },
          ...{ since: Number(since), retained: retained === 1 },
        })),
    isWanted(column, value) {
      const text = `SELECT 1 FROM row
        WHERE service = ? AND CASE WHEN json_valid(desired) THEN json_extract(desired, ?) END = ? LIMIT 1`;
      return prepared(database, text).get(service, `$."${column}"`, value) !== undefined;
    },
  };
}
