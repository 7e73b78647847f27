import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { coverOf, isRefusedSql } from "../../core/stream/cells.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import type { Question } from "./retained.ts";
import { pendingRows, retainedRows } from "./row-sets.ts";

/**
 * Holds removals beyond a limit within a sliding hour, or of the last rows of a table. Additions and changes go on. So
 * do the other removals, if a few entries alone lose too many rows. A
 * person approves the digest of exactly the removals that were shown. If there are more meanwhile, they are held under
 * another digest. A hold ends by an approval, or with its row, when the directory has it again or another row takes its
 * place. Neither time nor a restart ends it.
 */

/** The hour in which removals are counted, in milliseconds. */
const hour = 60 * 60_000;

/** The removals that need no approval. */
export interface RemovalRule {
  /** The most rows within an hour. */
  readonly limit: number;
  /** True if the last row of the table needs none either. */
  readonly mayEmpty: boolean;
}

/** The removals of one service: those that wait for a person, and those of the last hour. */
export interface Removals {
  /** Holds the pending removals if they are too many, or would leave no applied row. */
  hold(rule: RemovalRule, now: number): void;
  /** Counts removals that were made, except those that a person approved. In the caller's transaction. */
  count(rows: number, now: number): void;
  /**
   * Counts removals with a future time as made now, so that they count for one hour. Needed only at a start: a
   * running process counts the hour by a clock that does not jump.
   */
  countAhead(now: number): void;
  /** The number of rows removed without approval within the hour, with files beyond them. */
  within(now: number): number;
  /** Allows a number of expected removals beside the limit, until a time. */
  allow(rows: number, until: number): void;
  /** The digest that a person approves, and the keys whose removal waits for it; undefined if there are none. */
  held(): HeldRemovals | undefined;
  /**
   * The open question, for a report. Its digest is computed once: for twenty thousand keys it takes a tenth of a core.
   */
  question(): Question | undefined;
  /** Stores the open question until one of its rows is added or removed, and returns it. */
  noteQuestion(): Question | undefined;
  /** Releases the removals that have this digest now; true if there are any. */
  approve(digest: string): boolean;
}

/** Removals that wait for a person. */
export interface HeldRemovals {
  readonly digest: string;
  readonly keys: readonly string[];
}

/** Opens the removals of a service. */
export const removalsOf = (database: DatabaseSync, service: string): Removals => ({
  hold: (rule, now) => holdRemovals(database, service, rule, now),
  count: (rows, now) => countRemovals(database, service, rows, now),
  countAhead(now) {
    prepared(database, "UPDATE removal SET at = ? WHERE service = ? AND at > ?").run(now, service, now);
  },
  within: (now) => removedWithin(database, service, now),
  allow(rows, until) {
    const text = "INSERT OR REPLACE INTO allowance (service, until, rows) VALUES (?, ?, ?)";
    prepared(database, text).run(service, until, rows);
  },
  held: () => heldRemovals(database, service),
  question: () => openQuestion(database, service),
  noteQuestion() {
    const text = "INSERT OR IGNORE INTO held_removals (service, digest, rows) VALUES (?, ?, ?)";
    const open = openQuestion(database, service);
    if (open) prepared(database, text).run(service, open.digest, open.rows);
    return open;
  },
  approve(digest) {
    if (heldRemovals(database, service)?.digest !== digest) return false;
    prepared(database, "INSERT OR REPLACE INTO approved (service, digest) VALUES (?, ?)").run(service, digest);
    release(database, service);
    return true;
  },
});

function holdRemovals(database: DatabaseSync, service: string, { limit, mayEmpty }: RemovalRule, now: number): void {
  const pending = prepared(
    database,
    `SELECT key FROM ${pendingRows} AND retained_by IS NULL AND (desired IS NULL OR ${isRefusedSql("desired")})
       AND applied IS NOT NULL ORDER BY key`,
  )
    .all(service)
    .map(({ key }) => String(key));
  const approved = isApproved(database, service, pending);
  if (pending.length === 0 || approved) return;
  const before = removedWithin(database, service, now);
  const tooMany = pending.length + before > limit;
  if (!tooMany && (mayEmpty || isAnyLeft(database, service))) return;
  if (pending.length <= (allowance(database, service, now) ?? 0)) return;
  // The count at the time of the hold: some of the waiting rows may be back since.
  const earlier = before > 0 ? ` after ${before} within the hour` : "";
  const held = tooMany ? unaskedBeyond(pending, limit, before) : pending;
  const detail = tooMany
    ? `${held.length} would be removed${earlier}, at most ${limit} an hour`
    : "no row would be left";
  transaction(database, () => {
    // A row that was tried stays in doubt: the next run puts it back.
    const hold = prepared(
      database,
      "UPDATE row SET retained_by = 'removals', detail = ?, since = coalesce(since, ?) WHERE service = ? AND key = ?",
    );
    for (const key of held) hold.run(detail, now, service, key);
  });
}

/**
 * The removals to hold of those that are too many: all of them, unless a few entries cause that. An entry that loses
 * more than a tenth of the limit at once is then held alone, if the others stay within the limit. So a member who
 * removes a thousand addresses of his own holds back no other removal.
 */
function unaskedBeyond(pending: readonly string[], limit: number, before: number): readonly string[] {
  const ofEntry = new Map<string, number>();
  for (const key of pending) ofEntry.set(coverOf(key), (ofEntry.get(coverOf(key)) ?? 0) + 1);
  const many = Math.max(1, Math.floor(limit / 10));
  const flood = pending.filter((key) => (ofEntry.get(coverOf(key)) ?? 0) > many);
  return pending.length - flood.length + before <= limit ? flood : pending;
}

/** True if a row is applied once nothing is pending. */
const isAnyLeft = (database: DatabaseSync, service: string): boolean =>
  prepared(
    database,
    `SELECT 1 FROM row WHERE service = ? AND
       iif(retained_by IS NULL, desired IS NOT NULL AND NOT ${isRefusedSql("desired")}, applied IS NOT NULL) LIMIT 1`,
  ).get(service) !== undefined;

/**
 * True if a person approved exactly these removals. If others are pending by now, the approval ends, and no removal
 * goes uncounted.
 */
function isApproved(database: DatabaseSync, service: string, pending: readonly string[]): boolean {
  const approved = prepared(database, "SELECT digest FROM approved WHERE service = ?").get(service)?.digest;
  if (approved === undefined) return false;
  if (approved === digestOf([...pending].sort())) return true;
  prepared(database, "DELETE FROM approved WHERE service = ?").run(service);
  return false;
}

function countRemovals(database: DatabaseSync, service: string, rows: number, now: number): void {
  prepared(database, "DELETE FROM removal WHERE service = ? AND at <= ?").run(service, now - hour);
  if (rows === 0) return;
  if (prepared(database, "DELETE FROM approved WHERE service = ?").run(service).changes > 0) return;
  const allowed = Math.min(rows, allowance(database, service, now) ?? 0);
  prepared(database, "UPDATE allowance SET rows = rows - ? WHERE service = ? AND until > ?").run(allowed, service, now);
  prepared(database, "INSERT INTO removal (service, at, rows) VALUES (?, ?, ?)").run(service, now, rows - allowed);
}

const allowance = (database: DatabaseSync, service: string, now: number): number | undefined => {
  const found = prepared(database, "SELECT rows FROM allowance WHERE service = ? AND until > ?").get(service, now);
  return found && Number(found.rows);
};

function heldRemovals(database: DatabaseSync, service: string): HeldRemovals | undefined {
  const keys = heldKeys(database, service).sort();
  return keys.length === 0 ? undefined : { digest: digestOf(keys), keys };
}

function openQuestion(database: DatabaseSync, service: string): Question | undefined {
  const noted = prepared(database, "SELECT digest, rows FROM held_removals WHERE service = ?").get(service);
  if (noted) return { digest: String(noted.digest), rows: Number(noted.rows) };
  const held = heldRemovals(database, service);
  return held && { digest: held.digest, rows: held.keys.length };
}

const removedWithin = (database: DatabaseSync, service: string, now: number): number =>
  Number(
    prepared(database, "SELECT coalesce(sum(rows), 0) AS rows FROM removal WHERE service = ? AND at > ?").get(
      service,
      now - hour,
    )?.rows,
  );

const heldKeys = (database: DatabaseSync, service: string): string[] =>
  prepared(database, `SELECT key FROM ${retainedRows} AND retained_by = 'removals'`)
    .all(service)
    .map(({ key }) => String(key));

/** Makes the held removals pending again. */
function release(database: DatabaseSync, service: string): void {
  prepared(
    database,
    `UPDATE row INDEXED BY row_retained SET retained_by = NULL, detail = NULL, since = NULL
       WHERE service = ? AND retained_by IS NOT NULL AND retained_by = 'removals'`,
  ).run(service);
}

const digestOf = (keys: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(keys)).digest("hex").slice(0, 8);
