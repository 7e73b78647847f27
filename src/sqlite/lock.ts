import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { createPrivate, isBusy } from "./open.ts";

/** An exclusive lock on a small file of its own. The kernel drops it when its process ends, in any way. */
export interface Lock {
  /** True while the lock excludes others; false if the lock file was deleted or replaced. */
  held(): boolean;
  release(): void;
}

/** Takes the lock on a file; undefined if a living process has it. */
export function takeLock(file: string): Lock | undefined {
  createPrivate(file);
  const locked = fileIdentity(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // A journal in memory: otherwise BEGIN EXCLUSIVE would leave one on the disk.
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
  release(); // the file was replaced between its creation and its lock
  return undefined;
}

/** The identity of the file at a path now: device and inode; undefined for none. */
export function fileIdentity(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
