import type { DatabaseSync } from "node:sqlite";
import { Digest, type Hashing, keyHash } from "../core/digest.ts";
import type { Write } from "../core/follow.ts";
import { reason } from "../core/outcome.ts";
import { readRow } from "../core/read-row.ts";
import { type Cell, type CellChange, coverOf, isRefused, isRefusedSql, refusalOf, rowLimit } from "../core/row.ts";
import type { Table } from "../core/service.ts";
import { transaction } from "../sqlite/open.ts";

/** The stored rows of one table service: what the transcriber said goes in, what a run is given comes out. */
export interface StoredRows {
  /** The digest of what is desired. */
  readonly digest: Digest;
  /** Writes what `follow` decided; in the caller's transaction. */
  write(write: Write, now: number): void;
  /** Forgets, of a damaged file, what was loaded and is no row any more. */
  mend(): void;
  /** Reads the digest and the judgement of every row anew: at start, or when a transaction was taken back. */
  recompute(now: number): void;
}

export function storedRows(database: DatabaseSync, service: string, table: Table, hashing?: Hashing): StoredRows {
  const sql = statements(database);
  let digest = new Digest(service, hashing);

  function set(key: string, cell: Cell | null, now: number): void {
    const found = sql.get.get(service, key) as { desired: string | null } | undefined;
    const before = found?.desired ?? null;
    if (before === cell) return;
    digest.move(key, before, cell);
    sql.put.run(service, key, keyHash(key), cell);
    judge(key, now);
    if (key === coverOf(key)) {
      // Keys of the entry that have no word of their own live or go by what is said of the entry as a whole.
      for (const { key: part } of sql.parts.all(service, `${key}/`, `${key}0`)) judge(String(part), now);
    }
  }

  /** Decides whether the loaded row is kept instead of what is desired, and why. */
  function judge(key: string, now: number): void {
    const row = sql.get.get(service, key) as { desired: string | null; loaded: string | null; why: string | null };
    if (!row) return;
    const reason = reasonToKeep(key, row.desired, row.loaded);
    // What a refusal takes away is owed like any removal; once it is gone the reason says why.
    const goes = table.refused === "remove" && row.loaded !== null && reason?.startsWith(refusedByDirectory);
    const why = goes ? null : reason;
    if (why !== row.why) sql.why.run(why, why === null ? null : now, service, key);
    sql.forget.run(service, key);
  }

  function reasonToKeep(key: string, desired: string | null, loaded: string | null): string | null {
    if (desired !== null) {
      if (isRefused(desired)) return `${refusedByDirectory}${refusalOf(desired)}`;
      const wrong = wrongCell(table, desired);
      return wrong === undefined ? null : `other version: ${wrong}`;
    }
    if (loaded === null || key === coverOf(key)) return null;
    const cover = sql.get.get(service, coverOf(key)) as { desired: string | null } | undefined;
    return cover?.desired && isRefused(cover.desired) ? `${refusedByDirectory}${refusalOf(cover.desired)}` : null;
  }

  function replace(from: number, to: number, rows: readonly (readonly [string, Cell])[], now: number): void {
    const here = new Map(rows);
    for (const { key } of sql.range.all(service, from, to)) {
      if (!here.has(String(key))) set(String(key), null, now);
    }
    for (const [key, cell] of here) set(key, cell, now);
  }

  function apply(changes: Iterable<CellChange>, now: number): void {
    for (const [key, cell] of changes) set(key, cell, now);
  }

  function recompute(now: number): void {
    digest = new Digest(service, hashing);
    for (let after = ""; ; ) {
      const page = sql.page.all(service, after) as { key: string; desired: string | null }[];
      for (const { key, desired } of page) {
        digest.move(key, null, desired);
        judge(key, now);
      }
      const last = page.at(-1);
      if (!last) return;
      after = last.key;
    }
  }

  return {
    get digest() {
      return digest;
    },
    write(write, now) {
      if (write.kind === "part") return replace(write.part.from, write.part.to, write.part.rows, now);
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
    mend: () => void sql.mend.run(service),
    recompute: (now) => transaction(database, () => recompute(now)),
  };
}

/** How the reason of a row begins that the transcriber refuses. */
const refusedByDirectory = "refused: ";

/** Of a key that a run was given, where refused rows go: one that is gone has its reason, and one that came into force all the same is owed its removal. */
export function settleRefused(database: DatabaseSync, service: string, key: string, now: number): void {
  const settle = (why: string, state: string): void =>
    void database
      .prepare(
        `UPDATE row SET why = ${why}, since = ? WHERE service = ? AND key = ? AND doubt = 0
         AND ${isRefusedSql("desired")} AND ${state}`,
      )
      .run(now, service, key);
  settle(`'${refusedByDirectory}' || substr(desired, 2)`, "why IS NULL AND loaded IS NULL");
  settle("NULL", `why LIKE '${refusedByDirectory}%' AND loaded IS NOT NULL`);
}

/** Why a cell is no row of a table. Whatever is in it, judging it must not be in the way of the others. */
function wrongCell(table: Table, cell: Cell): string | undefined {
  if (cell.length > rowLimit) return `the row has ${cell.length} bytes, the limit is ${rowLimit}`;
  try {
    const read = readRow(table, JSON.parse(cell));
    return "wrong" in read ? read.wrong : undefined;
  } catch (error) {
    return error instanceof SyntaxError ? "the row is no JSON" : reason(error);
  }
}

/** A column where it holds an object in JSON; null where it does not. */
const object = (column: string): string =>
  `CASE WHEN json_valid(${column}) THEN CASE WHEN json_type(${column}) = 'object' THEN ${column} END END`;

function statements(database: DatabaseSync) {
  return {
    get: database.prepare("SELECT desired, loaded, why FROM row WHERE service = ? AND key = ?"),
    put: database.prepare(
      `INSERT INTO row (service, key, hash, desired) VALUES (?, ?, ?, ?)
       ON CONFLICT (service, key) DO UPDATE SET desired = excluded.desired`,
    ),
    why: database.prepare("UPDATE row SET why = ?, since = ? WHERE service = ? AND key = ?"),
    forget: database.prepare(
      "DELETE FROM row WHERE service = ? AND key = ? AND desired IS NULL AND loaded IS NULL AND doubt = 0",
    ),
    mend: database.prepare(
      `UPDATE row SET loaded = ${object("loaded")}, given = ${object("given")}
       WHERE service = ? AND (loaded IS NOT ${object("loaded")} OR given IS NOT ${object("given")})`,
    ),
    parts: database.prepare("SELECT key FROM row WHERE service = ? AND key >= ? AND key < ?"),
    range: database.prepare("SELECT key FROM row WHERE service = ? AND hash >= ? AND hash < ? AND desired IS NOT NULL"),
    page: database.prepare("SELECT key, desired FROM row WHERE service = ? AND key > ? ORDER BY key LIMIT 1000"),
    stage: database.prepare("INSERT INTO staged (service, key, cell) VALUES (?, ?, ?)"),
    staged: database.prepare("SELECT key, cell FROM staged WHERE service = ? ORDER BY position"),
    unstage: database.prepare("DELETE FROM staged WHERE service = ?"),
  };
}
