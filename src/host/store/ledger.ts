import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { Fatal } from "../../core/util/errors.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";

/**
 * The durable facts about installed files, in the host's own database. Paths are real ones: every symlink is resolved.
 */

/** The age after which hand edits are forgotten, in milliseconds: a day. */
const editMemory = 24 * 60 * 60_000;

/** The applied file at a path. */
export interface Applied {
  readonly hash: string | null;
  readonly serving: boolean;
  /** The probe of the file, as JSON. */
  readonly probe: string | null;
}

/** An install of a path that is not known to have succeeded. */
export interface PendingInstall {
  readonly path: string;
  readonly batch: string;
  readonly good: string | null;
  readonly goodHash: string | null;
  readonly to: string | null;
}

/** Failures of the latest texts of a set of paths. */
export interface Attempt {
  readonly texts: string;
  readonly failures: number;
  readonly at: number;
  readonly why: string;
}

export type Ledger = ReturnType<typeof ledgerOf>;

/** Opens the ledger of a service. */
export function ledgerOf(database: DatabaseSync, service: string) {
  const all = (sql: string, ...values: (string | number | null)[]) => prepared(database, sql).all(...values);
  const one = (sql: string, ...values: (string | number | null)[]) => prepared(database, sql).get(...values);
  const change = (sql: string, ...values: (string | number | null)[]): void =>
    void prepared(database, sql).run(...values);

  /** Claims a path for this service. Throws if it belongs to another one. */
  function own(path: string): void {
    const owner = one("SELECT service FROM install_path WHERE path = ?", path)?.service;
    if (owner !== undefined && owner !== service) {
      throw new Fatal(`${path} belongs to service "${owner}": service "${service}" cannot install it too`);
    }
  }

  return {
    own,

    /** Undefined for a path that this service never installed. */
    applied(path: string): Applied | undefined {
      const row = one("SELECT applied, serving, probe FROM install_path WHERE path = ?", path);
      return row && { hash: text(row.applied), serving: row.serving === 1, probe: text(row.probe) };
    },

    /** The pending installs of these paths, and of all paths that were being installed together with one of them. */
    pending(paths: readonly string[]): PendingInstall[] {
      const rows = all(
        `SELECT path, batch, good, good_hash, to_hash FROM install_pending WHERE service = ? AND batch IN
          (SELECT batch FROM install_pending WHERE path IN (SELECT value FROM json_each(?))) ORDER BY rowid`,
        service,
        JSON.stringify(paths),
      );
      return rows.map((row) => ({
        path: String(row.path),
        batch: String(row.batch),
        good: text(row.good),
        goodHash: text(row.good_hash),
        to: text(row.to_hash),
      }));
    },

    /** Journals an install before any file is replaced. `edited` are the paths at which a foreign text is replaced. */
    journal(
      pending: readonly PendingInstall[],
      { edited = [], now = 0 }: { edited?: readonly string[]; now?: number } = {},
    ): void {
      transaction(database, () => {
        for (const { path, batch, good, goodHash, to } of pending) {
          own(path);
          change("INSERT OR IGNORE INTO install_path (path, service) VALUES (?, ?)", path, service);
          change(
            "INSERT OR REPLACE INTO install_pending (path, service, batch, good, good_hash, to_hash) VALUES (?, ?, ?, ?, ?, ?)",
            ...[path, service, batch, good, goodHash, to],
          );
        }
        for (const path of edited) change("INSERT INTO install_edit (path, at) VALUES (?, ?)", path, now);
        // A time in the future was written by a clock that was ahead, and is worthless.
        if (edited.length > 0) change("DELETE FROM install_edit WHERE at < ? OR at > ?", now - editMemory, now);
      });
    },

    /** The paths whose reload is pending. */
    pendingReloads: (): string[] =>
      all("SELECT path FROM install_pending WHERE service = ? ORDER BY path", service).map(({ path }) => String(path)),

    /**
     * Makes a reload of each applied file pending, which replaces no file. An unfinished install has more information,
     * and stays.
     */
    requireReload(): void {
      change(
        `INSERT OR IGNORE INTO install_pending (path, service, batch, good, good_hash, to_hash)
          SELECT path, service, hex(randomblob(16)), NULL, applied, applied FROM install_path
          WHERE service = ? AND applied IS NOT NULL`,
        service,
      );
    },

    /** Drops all pending reloads except those of these files. */
    dropReloadsBut: (paths: Iterable<string>): void =>
      change(
        `DELETE FROM install_pending WHERE service = ? AND ${onlyReload}
          AND path NOT IN (SELECT value FROM json_each(?))`,
        service,
        JSON.stringify([...paths]),
      ),

    /**
     * The paths that this service has written: those that were ever applied, and those that an unfinished install may
     * have left.
     */
    written: (): string[] =>
      all(
        `SELECT path FROM install_written WHERE service = ?1 UNION
          SELECT path FROM install_pending WHERE service = ?1 AND to_hash IS NOT NULL AND good_hash IS NOT to_hash`,
        service,
      ).map(({ path }) => String(path)),

    /** The hash of this service's own text that was last applied at a path; null for none. */
    writtenHash: (path: string): string | null =>
      text(one("SELECT hash FROM install_written WHERE path = ? AND service = ?", path, service)?.hash),

    /** Notes texts of this service that are applied. */
    wrote(targets: readonly { readonly path: string; readonly hash: string | null }[]): void {
      const known = prepared(database, "SELECT 1 FROM install_written WHERE path = ? AND hash = ?");
      const other = targets.filter(({ path, hash }) => hash !== null && !known.get(path, hash));
      if (other.length === 0) return;
      transaction(database, () => {
        for (const { path, hash } of other) write(path, hash);
      });
    },

    /** Forgets a path that no longer belongs to this service. */
    forget(path: string): void {
      transaction(database, () => {
        for (const table of ["install_path", "install_written", "install_edit"]) {
          change(`DELETE FROM ${table} WHERE path = ?`, path);
        }
      });
    },

    /**
     * Notes that these texts are applied and that no reload of them is pending. Texts that were being installed, or are
     * among `wrote`, are the service's own. `failed` is the attempt that ended in a rollback to them.
     */
    settle(
      applied: ReadonlyMap<string, Applied>,
      {
        paths,
        wrote = [],
        failed,
      }: {
        paths?: string | undefined;
        wrote?: readonly { readonly path: string; readonly hash: string | null }[];
        failed?: (Attempt & { paths: string }) | undefined;
      } = {},
    ): void {
      transaction(database, () => {
        for (const { path, hash } of wrote) write(path, hash);
        for (const [path, { hash, serving, probe }] of applied) {
          const values = [hash, serving ? 1 : 0, probe, path];
          change("UPDATE install_path SET applied = ?, serving = ?, probe = ? WHERE path = ?", ...values);
          change(
            `INSERT OR REPLACE INTO install_written (path, service, hash) SELECT path, service, to_hash FROM install_pending
              WHERE path = ? AND to_hash = ? AND good_hash IS NOT to_hash`,
            ...[path, hash],
          );
          change("DELETE FROM install_pending WHERE path = ?", path);
        }
        if (paths !== undefined) change("DELETE FROM install_attempt WHERE service = ? AND paths = ?", service, paths);
        if (failed) writeAttempt(failed);
      });
    },

    attempt(paths: string): Attempt | undefined {
      const sql = "SELECT texts, failures, at, why FROM install_attempt WHERE service = ? AND paths = ?";
      const row = one(sql, service, paths);
      const { texts, failures, at, why } = row ?? {};
      return row && { texts: String(texts), failures: Number(failures), at: Number(at), why: String(why) };
    },

    failed: (attempt: Attempt & { paths: string }) => transaction(database, () => writeAttempt(attempt)),

    forgive: () => change("DELETE FROM install_attempt WHERE service = ?", service),

    /** The times at which foreign texts were replaced at a path between two moments, oldest first. */
    edits: (path: string, since: number, now: number): number[] =>
      all("SELECT at FROM install_edit WHERE path = ? AND at > ? AND at <= ? ORDER BY at", path, since, now).map(
        ({ at }) => Number(at),
      ),

    held: (path: string): string | null =>
      text(one("SELECT held FROM install_path WHERE path = ?", path)?.held ?? null),

    hold: (path: string, why: string): void => change("UPDATE install_path SET held = ? WHERE path = ?", why, path),

    /** Ends the hold of a path, and forgets the hand edits that led to it. */
    approve(path: string): void {
      transaction(database, () => {
        change("DELETE FROM install_edit WHERE path = ?", path);
        change("UPDATE install_path SET held = NULL WHERE path = ?", path);
      });
    },
  };

  function write(path: string, hash: string | null): void {
    if (hash === null) return;
    change("INSERT OR REPLACE INTO install_written (path, service, hash) VALUES (?, ?, ?)", path, service, hash);
  }

  function writeAttempt({ paths, texts, failures, at, why }: Attempt & { paths: string }): void {
    const sql =
      "INSERT OR REPLACE INTO install_attempt (service, paths, texts, failures, at, why) VALUES (?, ?, ?, ?, ?, ?)";
    change(sql, service, paths, texts, failures, at, why);
  }
}

/** True if no file was being replaced: only the reload of an applied file is pending. */
export const onlyReloadPending = ({ good, goodHash }: PendingInstall): boolean => good === null && goodHash !== null;
/** The condition of `onlyReloadPending` in SQL. */
const onlyReload = "good IS NULL AND good_hash IS NOT NULL";

/** The pending reload of files that their daemon has not, or may not have, applied. */
export function pendingReload(
  targets: readonly { readonly path: string; readonly hash: string | null }[],
): PendingInstall[] {
  const batch = randomUUID();
  return targets.map(({ path, hash }) => ({ path, batch, good: null, goodHash: hash, to: hash }));
}

const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));
