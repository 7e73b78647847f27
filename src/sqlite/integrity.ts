import { accessSync, constants } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { sqliteCode } from "./open.ts";

/** The integrity of database files: is a file what trigger wrote? */

/** A file holds what trigger never writes. */
export class Unusable extends Error {
  override name = "Unusable";
}

/** ERROR, CONSTRAINT, MISMATCH, CORRUPT, NOTADB (https://sqlite.org/rescode.html): what is said to a file is right, so the file is not. */
const brokenCodes: ReadonlySet<number | undefined> = new Set([1, 11, 19, 20, 26]);

/** True for an error that says that the file itself cannot be used, rather than the disk or the moment. */
export const isBroken = (error: unknown, file?: string): error is Error =>
  error instanceof Unusable ||
  brokenCodes.has(sqliteCode(error)) ||
  (error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE" || // an integer beyond 2^53, which trigger never writes
  (sqliteCode(error) === readOnly && file !== undefined && isWritable(file));

/** READONLY. Of a file that may be written it comes from the header, which names another write version (https://sqlite.org/fileformat.html#file_format_version_numbers). */
const readOnly = 8;

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Reads the whole file (about a millisecond per megabyte): an index that lacks a row would hide it without an error. */
export function checkIntegrity(database: DatabaseSync): void {
  const found = database.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
  if (found !== "ok") throw new Unusable(String(found));
}

/** Reads the whole file and every row of every table, which finds also the numbers that cannot be read; what is found is `Unusable`. */
function checkSound(database: DatabaseSync): void {
  try {
    checkIntegrity(database);
    readAll(database);
  } catch (error) {
    throw isBroken(error) ? new Unusable(error.message, { cause: error.cause }) : error;
  }
}

/** Throws what was thrown; of a database that turns out to be damaged, that it is `Unusable`. */
export function throwDamage(database: DatabaseSync, error: unknown): never {
  if (isBroken(error)) checkSound(database);
  throw error;
}

function readAll(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables) {
    for (const _ of database.prepare(`SELECT * FROM "${String(name).replaceAll('"', '""')}"`).iterate());
  }
}
