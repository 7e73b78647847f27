import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createPrivate, isBusy } from "./open.ts";

/** An exclusive lock on a small file of its own: the kernel drops it when its process dies, however it dies. */
export interface Lock {
  /** True as long as the lock excludes others: a lock file that was deleted or replaced does not. */
  held(): boolean;
  release(): void;
}

/** Takes the lock of a file; undefined if a living process has it. */
export function takeLock(file: string): Lock | undefined {
  createPrivate(file);
  const locked = fileIdentity(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // A journal in memory: BEGIN EXCLUSIVE would otherwise leave one on the disk.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw new Error(`${file}: cannot be locked`, { cause: error });
  }
  const held = (): boolean => locked !== undefined && database.isOpen && fileIdentity(file) === locked;
  const release = (): void => {
    if (database.isOpen) database.close();
  };
  if (held()) return { held, release };
  release(); // replaced between its creation and its lock
  return undefined;
}

/** The identity of the file that a path names now: device and inode; undefined for none. */
export function fileIdentity(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
