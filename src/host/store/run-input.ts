import type { DatabaseSync } from "node:sqlite";
import type { Change, Rows, Table, WaitingRow } from "../../core/service/service.ts";
import { claimsOf } from "../../core/service/unique.ts";
import { isRefused, isRefusedSql } from "../../core/stream/cells.ts";
import type { Columns } from "../../core/util/json.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import { type Retained, triedAgain } from "./retained.ts";
import { pendingRows, retainedRows } from "./row-sets.ts";
import { settleRefused } from "./rows.ts";
import { appliedRows, currentRows, parseRow, type RunRow, targetOf, wantedRows } from "./run-rows.ts";

/** The rows for the runs of one service. */
export interface RunInputs {
  /**
   * Marks, durably, the keys of a run that begins; they stay in doubt until it succeeds. A full run also gets the rows
   * that an earlier run could not apply, because the daemon may have changed. It is also checked for rows that
   * contradict each other.
   */
  begin(table: Table, options?: RunInputOptions): RunInput;
  /** True if a failed run had another row for a key than the next one would have: the daemon may have it. */
  triedOtherwise(): boolean;
  /** True if rows arrived since the last run began: the next run has other input. */
  changedMeanwhile(): boolean;
  /**
   * The input of the last successful run, overlaid with that of the present one. It does not change while messages
   * arrive.
   */
  current(): Rows<Columns>;
  /** The rows of the next run, if none is under way. */
  wanted(): Rows<Columns>;
  /** The rows of the last successful run; rows that were tried since are left out. */
  applied(): Rows<Columns>;
}

/** Opens the rows for the runs of a service. */
export const runInputsOf = (database: DatabaseSync, service: string): RunInputs => ({
  begin: (table, options) => beginRun(database, service, table, options),
  triedOtherwise: () => triedOtherwise(database, service),
  changedMeanwhile: () => changedMeanwhile(database, service),
  current: () => currentRows(database, service),
  wanted: () => wantedRows(database, service),
  applied: () => appliedRows(database, service),
});

/** The input of one run: its rows, its changes, and its end in the store. */
export interface RunInput {
  readonly rows: Rows<Columns>;
  /** The differences from the last successful run, removals first. */
  readonly changes: readonly Change<Columns>[];
  /** True if a key was already in doubt: an earlier run was interrupted. */
  readonly interrupted: boolean;
  /**
   * Removes these groups of keys from the input, durably, before they are used: they wait, and their applied rows stay.
   * A group stays if one of its rows changed meanwhile, since its verdict is outdated. Returns the remaining input.
   */
  without(blamed: readonly (readonly WaitingRow[])[], now: number): RunInput;
  /**
   * Ends a successful run except for these keys; in the caller's transaction. Returns the increase of applied rows, and
   * the number of removed ones.
   */
  finish(
    waiting: { readonly refused?: readonly WaitingRow[]; readonly held?: readonly WaitingRow[] },
    now: number,
  ): { readonly more: number; readonly removed: number };
}

export interface RunInputOptions {
  readonly full?: boolean;
  /** Holds the removals if they are too many; called each time that rows are read, since more may have arrived. */
  hold?(): void;
}

/** A condition: the row is still desired in the form that the run tried. */
const asTried = `(desired IS tried OR (retained_by IS NULL AND tried IS NULL AND ${isRefusedSql("desired")}))`;

function triedOtherwise(database: DatabaseSync, service: string): boolean {
  const target = `CASE WHEN retained_by IS NOT NULL THEN applied WHEN ${isRefusedSql("desired")} THEN NULL ELSE desired END`;
  const found = prepared(database, `SELECT 1 FROM ${pendingRows} AND doubt = 1 AND tried IS NOT ${target} LIMIT 1`);
  return found.get(service) !== undefined;
}

function changedMeanwhile(database: DatabaseSync, service: string): boolean {
  const arrived = prepared(database, `SELECT 1 FROM ${pendingRows} AND doubt = 0 LIMIT 1`).get(service) !== undefined;
  return arrived || triedOtherwise(database, service);
}

function beginRun(database: DatabaseSync, service: string, table: Table, options: RunInputOptions = {}): RunInput {
  const { full = false, hold } = options;
  const { pending, yielding } = transaction(database, () => {
    hold?.();
    if (full) clearReasons(database, service);
    const pending = prepared(database, `SELECT key, desired, applied, retained_by, doubt FROM ${pendingRows}`).all(
      service,
    ) as unknown as RunRow[];
    const give = prepared(database, "UPDATE row SET doubt = 1, tried = ? WHERE service = ? AND key = ?");
    for (const row of pending) give.run(targetOf(row), service, row.key);
    const yielding = retainedRowsThatYield(database, service, table, full ? undefined : pending);
    for (const { key } of yielding) give.run(null, service, key);
    return { pending, yielding };
  });
  const yields = new Set(yielding.map(({ key }) => key));
  const input = [...pending.filter(({ key }) => !yields.has(key)), ...yielding];
  const afterOf = (row: RunRow): string | null => (yields.has(row.key) ? null : targetOf(row));
  const interrupted = pending.some(({ doubt }) => doubt === 1);
  return {
    rows: currentRows(database, service),
    changes: input
      .map((row) => ({
        key: row.key,
        before: parseRow(row.applied),
        after: parseRow(afterOf(row)),
      }))
      .filter((change): change is Change<Columns> => change.before !== undefined || change.after !== undefined)
      .sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined) || (a.key < b.key ? -1 : 1)),
    interrupted,
    without(blamed, now) {
      const unchanged = prepared(
        database,
        `SELECT 1 FROM row WHERE service = ? AND key = ? AND retained_by IS NULL AND ${asTried}`,
      );
      const retained = prepared(
        database,
        "SELECT 1 FROM row WHERE service = ? AND key = ? AND retained_by IS NOT NULL",
      );
      const wait = prepared(
        database,
        "UPDATE row SET retained_by = 'check', detail = ?, since = ?, tried = applied WHERE service = ? AND key = ?",
      );
      return transaction(database, () => {
        for (const group of blamed) {
          if (!group.every(({ key }) => (yields.has(key) ? retained : unchanged).get(service, key))) continue;
          // A retained row that yielded to a blamed one is applied again: only the blamed row waits.
          const waiting = group.filter(({ key }) => !yields.has(key));
          for (const { key, why } of waiting) wait.run(why, now, service, key);
        }
        return { ...beginRun(database, service, table, options), interrupted };
      });
    },
    finish({ refused = [], held = [] }, now) {
      const refuse = prepared(
        database,
        `UPDATE row SET doubt = 0, tried = NULL, retained_by = ?, detail = ?, since = ?
          WHERE service = ? AND key = ? AND ${asTried}`,
      );
      const removesRefused = table.refused !== undefined;
      const out = prepared(
        database,
        `UPDATE row SET applied = NULL, since = coalesce(since, ?),
          retained_by = iif(retained_by IS NULL AND desired IS applied, ?, retained_by),
          detail = iif(retained_by IS NULL AND desired IS applied, ?, detail)
          WHERE service = ? AND key = ? AND doubt = 0 AND applied IS NOT NULL`,
      );
      const load = prepared(
        database,
        "UPDATE row SET applied = tried, tried = NULL, doubt = 0 WHERE service = ? AND key = ? AND doubt = 1",
      );
      const forget = prepared(
        database,
        "DELETE FROM row WHERE service = ? AND key = ? AND desired IS NULL AND applied IS NULL AND doubt = 0",
      );
      const drop = prepared(
        database,
        "UPDATE row SET applied = NULL WHERE service = ? AND key = ? AND doubt = 0 AND applied IS NOT NULL",
      );
      let more = 0;
      let removed = 0;
      const ran = new Set(input.map(({ key }) => key));
      const dropped = new Set(refused.filter(({ gone }) => gone).map(({ key }) => key));
      const waiting: (readonly [string, Retained])[] = [
        // A service may give any value as the reason: in JavaScript also undefined, or an error.
        ...refused.map(({ key, why }) => [key, { by: "daemon", detail: String(why) }] as const),
        ...held.map(({ key, why }) => [key, { by: "conflict", detail: String(why) }] as const),
      ];
      for (const [key, { by, detail }] of waiting) {
        if (ran.has(key)) refuse.run(by, detail, now, service, key);
        // The row was applied before, and a full run finds that it no longer is.
        else more -= Number(out.run(now, by, detail, service, key).changes);
        if (dropped.has(key)) {
          const gone = Number(drop.run(service, key).changes);
          more -= gone;
          removed += gone;
        }
        if (removesRefused) settleRefused(database, table, [service, key], now);
        forget.run(service, key);
      }
      const names = new Set(waiting.map(([key]) => key));
      for (const row of input) {
        if (names.has(row.key)) continue;
        more += Number(afterOf(row) !== null) - Number(row.applied !== null);
        // A row that yields is not removed: another one takes its place.
        if (row.applied !== null && afterOf(row) === null && !yields.has(row.key)) removed += 1;
        load.run(service, row.key);
        if (removesRefused) settleRefused(database, table, [service, row.key], now);
        forget.run(service, row.key);
      }
      return { more, removed };
    },
  };
}

/** Clears the reasons of rows that a run could not apply. */
function clearReasons(database: DatabaseSync, service: string): void {
  prepared(
    database,
    `UPDATE row INDEXED BY row_retained SET retained_by = NULL, detail = NULL, since = NULL
       WHERE service = ? AND retained_by IS NOT NULL AND retained_by IN ${triedAgain}`,
  ).run(service);
}

/**
 * The retained rows that yield to a good row with one of their unique values, because the address, say, has another
 * owner now. The good rows are these or all. Among all, a retained row also yields to an earlier retained one. Both
 * were applied while the table was in doubt, and one value cannot be applied twice.
 */
function retainedRowsThatYield(
  database: DatabaseSync,
  service: string,
  { unique = [] }: Table,
  among: readonly RunRow[] | undefined,
): RunRow[] {
  const isGood = ({ retained_by, desired }: RunRow): boolean =>
    retained_by === null && desired !== null && !isRefused(desired);
  if (among && !among.some(isGood)) return []; // there may be many retained rows to read
  const retained = prepared(
    database,
    `SELECT key, desired, applied, retained_by, doubt FROM ${retainedRows} AND applied IS NOT NULL`,
  ).all(service) as unknown as RunRow[];
  if (retained.length === 0) return [];
  const good = (among ?? goodRows(database, service)).filter(isGood);
  const claimed = new Set(good.flatMap(({ desired }) => claimsOf(unique, parseRow(desired) ?? {})));
  return retained.filter(({ applied }) => {
    const claims = claimsOf(unique, parseRow(applied) ?? {});
    if (claims.some((value) => claimed.has(value))) return true;
    if (!among) for (const value of claims) claimed.add(value);
    return false;
  });
}

const goodRows = (database: DatabaseSync, service: string): RunRow[] =>
  prepared(
    database,
    "SELECT key, desired, applied, retained_by, doubt FROM row WHERE service = ? AND retained_by IS NULL AND desired IS NOT NULL",
  ).all(service) as unknown as RunRow[];
