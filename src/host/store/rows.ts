import type { DatabaseSync } from "node:sqlite";
import { readRow } from "../../core/service/read-row.ts";
import { refusalRemoves } from "../../core/service/refusal-removes.ts";
import type { Table } from "../../core/service/service.ts";
import {
  type Cell,
  type CellChange,
  contestedRow,
  coverOf,
  isRefused,
  isRefusedSql,
  refusalOf,
  refusalSql,
  rowLimit,
} from "../../core/stream/cells.ts";
import { bucketCount, bucketRange, Digest, keyHash } from "../../core/stream/digest.ts";
import type { Write } from "../../core/stream/host-end.ts";
import type { PartMessage } from "../../core/stream/messages.ts";
import { rangesWithout } from "../../core/stream/ranges.ts";
import type { RetainedBy } from "../../core/stream/reasons.ts";
import { reason } from "../../core/util/errors.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import type { Retained } from "./retained.ts";
import { retainedRows } from "./row-sets.ts";

/** The stored rows of one table service: written from the transcriber's messages, read for runs. */
export interface StoredRows {
  /** The digest of the desired rows. */
  readonly digest: Digest;
  /** Writes the decision of `follow`; in the caller's transaction. */
  write(write: Write, now: number): void;
  /**
   * The desired rows from a key hash on, ordered by hash, and the hash at which they end. Their number exceeds `most`
   * only slightly.
   */
  inHashOrder(
    from: number,
    to: number,
    most: number,
  ): { readonly to: number; readonly cells: [key: string, cell: Cell][] };
  /** Judges every retained row again, in the caller's transaction. */
  judgeRetained(now: number): void;
  /**
   * Recomputes the digest from the rows, a bucket at a time; rows may change between its steps. With a time every row
   * is judged again, too. In a damaged file, it forgets applied values that are not rows.
   */
  recompute(judgedAt?: number): SlicedWork<void>;
}

export function storedRows(database: DatabaseSync, service: string, table: Table): StoredRows {
  const sql = statements(database);
  const digest = new Digest(service);

  function set(key: string, cell: Cell | null, now: number): void {
    const found = sql.get.get(service, key) as Stored | undefined;
    const before = found?.desired ?? null;
    if (before === cell) return;
    digest.change(key, before, cell);
    sql.put.run(service, key, keyHash(key), cell);
    const { applied = null, retained_by = null, detail = null } = found ?? {};
    judge(key, { desired: cell, applied, retained_by, detail }, now);
    if (key === coverOf(key)) {
      // Keys of the entry without a cell of their own follow the cell of the entry as a whole.
      for (const part of sql.parts.all(service, `${key}/`, `${key}0`) as unknown as Keyed[]) judge(part.key, part, now);
    }
    // Other rows may have been left out of the text only because of this row.
    if (found?.retained_by === "check") judgeRetained(now, "check");
  }

  /** Decides if the applied row is retained in place of the desired one, and writes the reason. */
  function judge(key: string, row: Stored, now: number): void {
    const retained = whyRetained(key, row);
    if (!isRetainedFor(row, retained)) {
      sql.retain.run(retained?.by ?? null, retained?.detail ?? null, retained ? now : null, service, key);
    }
    if (row.desired === null && row.applied === null) sql.forget.run(service, key);
  }

  function whyRetained(key: string, { desired, applied, retained_by, detail }: Stored): Retained | undefined {
    const reason = reasonToRetain(key, desired, applied);
    // A removal by a refusal is pending like any other; once the row is removed, its reason is the refusal.
    const isRemoved = applied !== null && reason?.cell !== undefined && refusalRemoves(table, reason.cell, applied);
    if (reason && !isRemoved) return reason;
    // A removal that waits for a person keeps waiting when rows are judged again: a restart is no approval.
    const waits = applied !== null && (isRemoved || desired === null) && retained_by === "removals";
    return waits ? { by: retained_by, detail: detail ?? "" } : undefined;
  }

  function reasonToRetain(key: string, desired: string | null, applied: string | null): Reason | undefined {
    if (desired !== null) {
      if (isRefused(desired)) return refusedBy(desired);
      const wrong = wrongCell(table, desired);
      return wrong === undefined ? undefined : { by: "version", detail: wrong };
    }
    if (applied === null || key === coverOf(key)) return undefined;
    const cover = sql.get.get(service, coverOf(key)) as { desired: string | null } | undefined;
    return cover?.desired && isRefused(cover.desired) ? refusedBy(cover.desired) : undefined;
  }

  function replace({ from, to, rows, same = [] }: PartMessage, now: number): void {
    const here = new Map(rows);
    for (const range of rangesWithout([from, to], same)) {
      for (const { key } of sql.range.all(service, ...range)) {
        if (!here.has(String(key))) set(String(key), null, now);
      }
    }
    for (const [key, cell] of here) set(key, cell, now);
  }

  function apply(changes: Iterable<CellChange>, now: number): void {
    for (const [key, cell] of changes) set(key, cell, now);
  }

  function judgeRetained(now: number, by?: RetainedBy): void {
    for (const row of sql.retained.all(service) as unknown as Keyed[]) {
      if (by === undefined || row.retained_by === by) judge(row.key, row, now);
    }
  }

  function* recompute(judgedAt?: number): SlicedWork<void> {
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      yield { what: `reading the rows of ${service}`, done: bucket, of: bucketCount };
      recomputeOne(bucket, judgedAt);
    }
  }

  function recomputeOne(bucket: number, judgedAt: number | undefined): void {
    const [from, to] = bucketRange(bucket);
    // In a damaged file a hash may have any value.
    const [first, last] = [bucket === 0 ? -Infinity : from, bucket === bucketCount - 1 ? Infinity : to];
    const rows = sql.bucket.all(service, first, last) as unknown as Placed[];
    digest.recompute(
      bucket,
      rows.flatMap(({ key, desired }) => (desired === null ? [] : [[key, desired] as const])),
    );
    const misjudged = (row: Placed): boolean =>
      judgedAt !== undefined &&
      (!isRetainedFor(row, whyRetained(row.key, row)) || (row.desired === null && row.applied === null));
    const wrong = rows.filter((row) => row.torn === 1 || row.hash !== keyHash(row.key) || misjudged(row));
    // Nearly always all is right, and a reader of a million rows must not lock others out.
    if (wrong.length === 0) return;
    transaction(database, () => {
      for (const row of wrong) mend(row, judgedAt);
    });
  }

  function mend({ key, torn }: Placed, judgedAt: number | undefined): void {
    sql.place.run(keyHash(key), service, key);
    if (torn === 1) sql.mend.run(service, key);
    if (judgedAt !== undefined) judge(key, sql.get.get(service, key) as unknown as Stored, judgedAt);
  }

  return {
    digest,
    write(write, now) {
      if (write.kind === "part") return replace(write.part, now);
      if (write.kind === "stage") {
        if (write.first) sql.unstage.run(service);
        for (const [key, cell] of write.rows) sql.stage.run(service, key, cell);
        return;
      }
      if (write.staged) {
        const staged = sql.staged.all(service) as { key: string; cell: string | null }[];
        apply(
          staged.map(({ key, cell }) => [key, cell]),
          now,
        );
      }
      sql.unstage.run(service);
      apply(write.rows, now);
    },
    inHashOrder(from, to, most) {
      const beyond = sql.beyond.get(service, from, to, most);
      const end = beyond ? Math.max(Number(beyond.hash), from + 1) : to;
      const rows = sql.bucket.all(service, from, end) as unknown as Placed[];
      return { to: end, cells: rows.flatMap(({ key, desired }) => (desired === null ? [] : [[key, desired]])) };
    },
    judgeRetained: (now) => judgeRetained(now),
    recompute,
  };
}

/** A reason to retain a row; for a refusal, with its cell. */
type Reason = Retained & { readonly cell?: Cell };

const refusedBy = (cell: Cell): Reason => ({ by: "directory", detail: refusalOf(cell), cell });

interface Stored {
  readonly desired: string | null;
  readonly applied: string | null;
  readonly retained_by: RetainedBy | null;
  readonly detail: string | null;
}
type Keyed = Stored & { readonly key: string };
/** A row of a possibly damaged file: its hash may not belong to its key, and its text may not be a row. */
type Placed = Keyed & { readonly hash: number; readonly torn: number };

const isRetainedFor = ({ retained_by, detail }: Stored, retained: Retained | undefined): boolean =>
  retained_by === (retained?.by ?? null) && detail === (retained?.detail ?? null);

/**
 * Settles a refused key of a run, by the row that is applied now. A removed row gets the refusal as its reason. If a row
 * was applied all the same, its removal is pending, unless it is the one that a duplicate claim names.
 */
export function settleRefused(
  database: DatabaseSync,
  table: Table,
  [service, key]: [string, string],
  now: number,
): void {
  const found = prepared(database, "SELECT desired, applied FROM row WHERE service = ? AND key = ?").get(service, key);
  const [desired, applied] = [found?.desired ?? null, found?.applied ?? null] as [Cell | null, Cell | null];
  if (desired === null || !isRefused(desired)) return;
  const isRemoved = refusalRemoves(table, desired, applied);
  if (!isRemoved && contestedRow(desired) === undefined) return;
  const settle = (by: string, detail: string, state: string): void =>
    void prepared(
      database,
      `UPDATE row SET retained_by = ${by}, detail = ${detail}, since = ? WHERE service = ? AND key = ? AND doubt = 0
         AND ${isRefusedSql("desired")} AND ${state}`,
    ).run(now, service, key);
  const waits = "(retained_by IS NULL OR retained_by = 'removals')";
  settle("'directory'", refusalSql("desired"), `${waits} AND applied ${isRemoved ? "IS NULL" : "IS NOT NULL"}`);
  if (isRemoved) settle("NULL", "NULL", "retained_by = 'directory' AND applied IS NOT NULL");
}

/**
 * The reason why a cell is not a row of a table; undefined if it is one. No content of the cell prevents the judgement
 * of the others.
 */
function wrongCell(table: Table, cell: Cell): string | undefined {
  if (cell.length > rowLimit) return `the row has ${cell.length} bytes, the limit is ${rowLimit}`;
  try {
    const read = readRow(table, JSON.parse(cell));
    return "wrong" in read ? read.wrong : undefined;
  } catch (error) {
    return error instanceof SyntaxError ? "the row is not JSON" : reason(error);
  }
}

/** The SQL for a column that holds an object in JSON; null if it does not. */
const object = (column: string): string =>
  `CASE WHEN json_valid(${column}) THEN CASE WHEN json_type(${column}) = 'object' THEN ${column} END END`;

function statements(database: DatabaseSync) {
  return {
    get: prepared(database, "SELECT desired, applied, retained_by, detail FROM row WHERE service = ? AND key = ?"),
    put: prepared(
      database,
      `INSERT INTO row (service, key, hash, desired) VALUES (?, ?, ?, ?)
       ON CONFLICT (service, key) DO UPDATE SET desired = excluded.desired`,
    ),
    retain: prepared(database, "UPDATE row SET retained_by = ?, detail = ?, since = ? WHERE service = ? AND key = ?"),
    forget: prepared(
      database,
      "DELETE FROM row WHERE service = ? AND key = ? AND desired IS NULL AND applied IS NULL AND doubt = 0",
    ),
    mend: prepared(
      database,
      `UPDATE row SET applied = ${object("applied")}, tried = ${object("tried")}
       WHERE service = ? AND key = ?`,
    ),
    parts: prepared(
      database,
      "SELECT key, desired, applied, retained_by, detail FROM row WHERE service = ? AND key >= ? AND key < ?",
    ),
    range: prepared(
      database,
      "SELECT key FROM row WHERE service = ? AND hash >= ? AND hash < ? AND desired IS NOT NULL",
    ),
    bucket: prepared(
      database,
      `SELECT key, hash, desired, applied, retained_by, detail,
         applied IS NOT ${object("applied")} OR tried IS NOT ${object("tried")} AS torn
       FROM row WHERE service = ? AND hash >= ? AND hash < ?`,
    ),
    place: prepared(database, "UPDATE row SET hash = ? WHERE service = ? AND key = ?"),
    beyond: prepared(
      database,
      "SELECT hash FROM row WHERE service = ? AND hash >= ? AND hash < ? ORDER BY hash LIMIT 1 OFFSET ?",
    ),
    retained: prepared(database, `SELECT key, desired, applied, retained_by, detail FROM ${retainedRows}`),
    stage: prepared(database, "INSERT INTO staged (service, key, cell) VALUES (?, ?, ?)"),
    staged: prepared(database, "SELECT key, cell FROM staged WHERE service = ? ORDER BY position"),
    unstage: prepared(database, "DELETE FROM staged WHERE service = ?"),
  };
}
