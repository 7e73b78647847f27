import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Opens a database file the one way that trigger uses them: write-ahead log, durable at commit (`synchronous` FULL), 50 ms of patience.
 * A waiting writer stops the event loop, hence the short patience: who meets "database is locked" tries again asynchronously (`patiently`).
 */
export function openDatabase(file: string, { readOnly = false } = {}): DatabaseSync {
  if (!readOnly) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { readOnly, timeout: 50 });
  if (!readOnly) {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216;");
  }
  return database;
}

/** Runs `work` in one transaction; a throw takes everything back. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
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

/** Whether an error says that another process is writing now. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && ((error.errcode as number) & 0xff) === 5;

/** Runs `work`, again after a short while each time that another process is writing, until the signal. */
export async function patiently<T>(work: () => T, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
    }
  }
}
