import { closeSync, existsSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { createPrivate, openDatabase } from "./open.ts";

/** The copy of a database file from before a migration, beside the file: `<file>.version-<number>`. */
const copyName = (file: string, version: number): string => `${file}.version-${version}`;

/** A copy from before a migration. */
export interface CopyBefore {
  readonly file: string;
  readonly version: number;
}

/**
 * Copies a database durably beside its file, as last committed, and removes the copy of an earlier version. It must be
 * called within a transaction, so that no other process writes or copies. A database in memory gets no copy.
 */
export function copyBefore(database: DatabaseSync, version: number): void {
  const file = database.location();
  if (!file) return;
  const copy = copyName(file, version);
  const draft = `${copy}.new`;
  rmSync(draft, { force: true });
  try {
    createPrivate(draft);
    vacuumInto(file, draft);
    sync(draft);
    renameSync(draft, copy);
  } catch (error) {
    rmSync(draft, { force: true }); // otherwise the leftover would fill a full disk further
    throw error;
  }
  sync(dirname(file));
  for (const other of copiesBefore(file)) if (other.file !== copy) rmSync(other.file);
}

/** Writes a copy through a connection of its own: SQLite makes none within a transaction. */
function vacuumInto(file: string, draft: string): void {
  const reader = openDatabase(file, { readOnly: true });
  try {
    reader.prepare("VACUUM INTO ?").run(draft);
  } finally {
    reader.close();
  }
}

/** The copies beside a database file, the newest version first. */
export function copiesBefore(file: string): CopyBefore[] {
  const prefix = `${basename(file)}.version-`;
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ file: join(dirname(file), name), version: Number(name.slice(prefix.length)) }))
    .sort((a, b) => b.version - a.version);
}

/** A database file, and the earlier copy to put in its place. */
export interface PutBack {
  readonly file: string;
  readonly copy: CopyBefore;
  /** The present version of the file. */
  readonly found: number;
}

/**
 * Puts copies in the place of their databases, each at once and durably. The replaced files stay under the names that
 * this returns. Throws before any change if a process has one of the databases open.
 */
export function putBack(files: readonly PutBack[]): string[] {
  for (const { file } of files) mustBeUnused(file);
  return files.map(({ file, copy, found }) => {
    const aside = asideName(file, found);
    rmSync(aside, { force: true });
    linkSync(file, aside);
    renameSync(copy.file, file);
    sync(dirname(file));
    return aside;
  });
}

/** Thrown for a database that a process has open. */
class InUse extends Error {
  override name = "InUse";
  readonly code = "ERR_IN_USE";
  constructor(file: string) {
    super(`${file} is in use by a process: stop it first`);
  }
}

/** Throws if a process has a database open. */
function mustBeUnused(file: string): void {
  const database = openDatabase(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close(); // the last one to close it removes its log
  if (existsSync(`${file}-wal`)) throw new InUse(file);
}

/** The name of a newer database after an earlier copy took its place: `<file>.from-version-<number>`. */
const asideName = (file: string, version: number): string => `${file}.from-version-${version}`;

/**
 * All files that migrations have left beside a database file: copies from before, unfinished copies, and newer files.
 */
export function leftBeside(file: string): string[] {
  const name = basename(file);
  return readdirSync(dirname(file))
    .filter(
      (other) => other.startsWith(name) && /^\.(from-version-\d+|version-\d+(\.new)?)$/.test(other.slice(name.length)),
    )
    .map((other) => join(dirname(file), other));
}

/** Writes a file, or the names in a folder, through to the disk (fsync(2)). */
function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
