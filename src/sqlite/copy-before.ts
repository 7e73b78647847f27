import { closeSync, existsSync, fsyncSync, linkSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { createPrivate, openDatabase } from "./open.ts";

/** The copy of a database file that is made before a migration, beside the file: `<file>.version-<number>`. */
const copyName = (file: string, version: number): string => `${file}.version-${version}`;

/** A copy that was made before a migration. */
export interface CopyBefore {
  readonly file: string;
  readonly version: number;
}

/**
 * Copies a database durably beside its file, as it was committed last, and removes the copy of an earlier version.
 * To be called within a transaction, so that nobody else writes or copies. A database in memory has no copy.
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
    rmSync(draft, { force: true }); // a full disk is not made fuller
    throw error;
  }
  sync(dirname(file));
  for (const other of copiesBefore(file)) if (other.file !== copy) rmSync(other.file);
}

/** Writes a copy by a connection of its own: SQLite makes none within a transaction. */
function vacuumInto(file: string, draft: string): void {
  const reader = openDatabase(file, { readOnly: true });
  try {
    reader.prepare("VACUUM INTO ?").run(draft);
  } finally {
    reader.close();
  }
}

/** The copies that lie beside a database file, the newest version first. */
export function copiesBefore(file: string): CopyBefore[] {
  const prefix = `${basename(file)}.version-`;
  return readdirSync(dirname(file))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ file: join(dirname(file), name), version: Number(name.slice(prefix.length)) }))
    .sort((a, b) => b.version - a.version);
}

/**
 * Puts a copy in the place of its database, at once and durably. The file that was there stays under the name that this gives.
 * Throws if a process has the database open.
 */
export function putBack(file: string, copy: CopyBefore, found: number): string {
  const aside = `${file}.from-version-${found}`;
  const database = openDatabase(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close(); // the last one to close it removes its log
  if (existsSync(`${file}-wal`)) throw new Error(`${file} is in use by a process: stop it first`);
  rmSync(aside, { force: true });
  linkSync(file, aside);
  renameSync(copy.file, file);
  sync(dirname(file));
  return aside;
}

/** Writes a file, or the names of a folder, through to the disk (fsync(2)). */
function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
