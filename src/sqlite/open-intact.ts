import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { checkIntegrity, isBroken } from "./integrity.ts";
import { openDatabase } from "./open.ts";

/**
 * The most damaged files kept of one database, so that a faulty disk that damages many files is not filled with them.
 */
const keptAsides = 10;

interface Options {
  /** Milliseconds since 1970, for the name of a file that is set aside. */
  readonly now: number;
  /** Logs the fate of a damaged file, after its name: "could not be read (…) and is set aside as …". */
  readonly lost: (line: string) => void;
  /** The error that showed the damage while the file was open; the file is then set aside without a check. */
  readonly damage?: Error | undefined;
}

/**
 * Opens a database after a check of its integrity, and prepares it; returns the result of `prepare`. A damaged file is
 * set aside, and a new one created. Any other error is thrown, with the database closed.
 */
export function openIntact<T>(
  file: string,
  prepare: (database: DatabaseSync) => T,
  { now, lost, damage }: Options,
): { readonly database: DatabaseSync; readonly prepared: T } {
  try {
    if (damage) throw damage;
    return open(file, prepare);
  } catch (error) {
    if (!isBroken(error, file)) throw error;
    lost(`could not be read (${error.message}) and is set aside as ${setAside(file, now)}`);
    return open(file, prepare);
  }
}

function open<T>(file: string, prepare: (database: DatabaseSync) => T): { database: DatabaseSync; prepared: T } {
  const database = openDatabase(file);
  try {
    checkIntegrity(database);
    return { database, prepared: prepare(database) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Renames a database with its log and index, and returns its new name. SQLite does not write to a database that was
 * renamed under it. Processes that still have it open therefore cannot harm the new one.
 */
function setAside(file: string, now: number): string {
  let aside = asideName(file, now);
  for (let at = now + 1; existsSync(aside); at++) aside = asideName(file, at);
  for (const part of parts) {
    try {
      renameSync(file + part, aside + part);
    } catch (error) {
      // The log and the index may not exist.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  removeOldest(file);
  return aside;
}

/** The database, its log and its index. */
const parts = ["", "-wal", "-shm"];

const asideName = (file: string, at: number): string =>
  `${file}.corrupt-${new Date(at).toISOString().replaceAll(":", "")}`;

function removeOldest(file: string): void {
  const folder = dirname(file);
  const asides = readdirSync(folder).filter((name) => name.startsWith(`${basename(file)}.corrupt-`));
  const names = [...new Set(asides.map((name) => name.replace(/-(wal|shm)$/, "")))].sort();
  for (const name of names.slice(0, -keptAsides)) {
    for (const part of parts) rmSync(join(folder, name + part), { force: true });
  }
}
