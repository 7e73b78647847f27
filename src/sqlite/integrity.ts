import { accessSync, constants } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { sqliteCode } from "./open.ts";

/** The integrity of database files: a test that trigger wrote their content. */

/** Thrown for a file with content that trigger never writes. */
export class Unusable extends Error {
  override name = "Unusable";
}

/**
 * ERROR, CONSTRAINT, MISMATCH, CORRUPT, NOTADB (https://sqlite.org/rescode.html): the statements are right, so the file
 * is not.
 */
const brokenCodes: ReadonlySet<number | undefined> = new Set([1, 11, 19, 20, 26]);

/** True for an error that shows that the file itself is damaged, rather than the disk or the moment. */
export const isBroken = (error: unknown, file?: string): error is Error =>
  error instanceof Unusable ||
  brokenCodes.has(sqliteCode(error)) ||
  (error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE" || // an integer beyond 2^53, which trigger never writes
  (sqliteCode(error) === readOnly && file !== undefined && isWritable(file));

/**
 * READONLY. For a writable file this comes from its header, which names another write version
 * (https://sqlite.org/fileformat.html#file_format_version_numbers).
 */
const readOnly = 8;

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads the whole file (about a millisecond per megabyte): without this, an index that lacks a row would hide the row
 * without an error.
 */
export function checkIntegrity(database: DatabaseSync): void {
  const found = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (found !== "ok") throw new Unusable(String(found));
}

/**
 * Reads the whole file and every row of every table, and so finds unreadable numbers, too. Damage is thrown as
 * `Unusable`.
 */
function checkContent(database: DatabaseSync): void {
  try {
    checkIntegrity(database);
    readAll(database);
  } catch (error) {
    throw isBroken(error) ? new Unusable(error.message, { cause: error.cause }) : error;
  }
}

/** Throws an error again; as `Unusable` if the database turns out to be damaged. */
export function throwDamage(database: DatabaseSync, error: unknown): never {
  if (isBroken(error)) checkContent(database);
  throw error;
}

function readAll(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables) {
    for (const _ of database.prepare(`SELECT * FROM "${String(name).replaceAll('"', '""')}"`).iterate());
  }
}
