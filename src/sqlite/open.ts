import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The time for which a statement waits for another process, in milliseconds: it blocks the event loop. */
const busyTimeout = 20;

/**
 * Opens a database file in the one way that trigger uses: write-ahead log, durable at commit (`synchronous` FULL),
 * short busy timeout. A waiting writer blocks the event loop. A caller that gets "database is locked", also here, tries
 * again asynchronously (`retryWhileBusy`). A new file is readable by its owner alone (0600); SQLite gives its log the
 * same mode.
 */
export function openDatabase(file: string, { readOnly = false } = {}): DatabaseSync {
  if (!readOnly) createPrivate(file);
  const database = new DatabaseSync(file, { readOnly, timeout: busyTimeout });
  try {
    if (!readOnly) {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;");
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Creates a file if it does not exist, in an existing directory; a new file is readable by its owner alone. An existing
 * file is not opened: closing any handle on a database drops the locks that SQLite holds on it for this process
 * (fcntl(2)).
 */
export function createPrivate(file: string): void {
  if (file === ":memory:") return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Runs `work` in one transaction, or as a part of the open one; a throw rolls all of it back. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  if (database.isTransaction) return work();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The primary result code of an error of SQLite (https://sqlite.org/rescode.html); undefined for any other error. */
export const sqliteCode = (error: unknown): number | undefined =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode & 0xff : undefined;

/** True for an error that reports that another process is writing now. */
export const isBusy = (error: unknown): boolean => sqliteCode(error) === 5;

/** Runs `work`. Repeats it after a short wait while another process is writing, until the signal aborts. */
export async function retryWhileBusy<T>(work: () => T, signal?: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      signal?.throwIfAborted();
      await pauseBeforeRetry(failures);
    }
  }
}

/**
 * Waits before another try: around 8 ms at first, about the duration of a commit, and 200 ms at most. After a writer
 * that was stopped in the middle, the others then lose at most a tenth of that time.
 */
export function pauseBeforeRetry(failures: number): Promise<void> {
  const milliseconds = Math.min(200, 5 * 2 ** Math.min(failures, 10)) * (0.6 + Math.random() * 0.4);
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
