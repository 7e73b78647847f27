import { readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { reason } from "../../core/util/errors.ts";
import { version } from "../../core/util/version.ts";
import { fileIdentity, takeLock } from "../../sqlite/lock.ts";
import { migrate } from "../../sqlite/migrate.ts";
import { openDatabase, transaction } from "../../sqlite/open.ts";
import { checkWhole, isBroken } from "../../sqlite/sound.ts";
import { brokerSchema, prepareAll, type Statements } from "./schema.ts";

/** A broker's file, open. */
export interface Opened {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /** Which file it is, whatever its name has become. */
  readonly identity: string | undefined;
}

/** A file that was found unusable while it was open, and why. */
export interface Suspect {
  readonly identity: string | undefined;
  readonly error: unknown;
}

interface Options {
  readonly lockFile: string;
  readonly log: (line: string) => void;
  /** Brings what must be in every file, in the transaction that opens it. */
  readonly begin: (statements: Statements) => void;
  readonly suspect: Suspect | undefined;
}

/** So many unusable files are kept aside; older ones are removed. */
const asidesKept = 5;

/**
 * Opens a broker's file, or makes it. One that cannot be used is set aside, said in `log`, and a new one takes its place.
 * Two processes never do this at once: gives undefined while another one is at it.
 */
export function openFile(file: string, { lockFile, log, begin, suspect }: Options): Opened | undefined {
  const lock = takeLock(lockFile);
  if (!lock) return undefined;
  try {
    if (suspect && fileIdentity(file) === suspect.identity) setAside(file, suspect.error, log);
    try {
      return open(file, begin);
    } catch (error) {
      if (!isBroken(error, file)) throw error;
      setAside(file, error, log);
      return open(file, begin);
    }
  } finally {
    lock.release();
  }
}

function open(file: string, begin: Options["begin"]): Opened {
  const database = openDatabase(file);
  try {
    checkWhole(database);
    migrate(database, brokerSchema, version);
    const statements = transaction(database, () => {
      const prepared = prepareAll(database);
      begin(prepared);
      return prepared;
    });
    return { database, statements, identity: fileIdentity(file) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Renames a database with its log and index. SQLite does not touch the files of a database that was renamed under it,
 * so processes that still have it open do the new one no harm, and notice by themselves.
 */
function setAside(file: string, error: unknown, log: (line: string) => void): void {
  const aside = `${file}.broken-${new Date().toISOString().replaceAll(/[-:]/g, "")}-${process.pid}`;
  for (const part of ["", "-wal", "-shm"]) {
    try {
      renameSync(file + part, aside + part);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }
  log(
    `the broker file ${file} cannot be used (${reason(error)}): it was set aside as ${aside} and a new one begun. ` +
      "Tables repair themselves; plain messages that waited in it are lost",
  );
  const prefix = `${basename(file)}.broken-`;
  const asides = readdirSync(dirname(file)).filter((name) => name.startsWith(prefix) && !/-(wal|shm)$/.test(name));
  for (const name of asides.sort().slice(0, -asidesKept)) {
    for (const part of ["", "-wal", "-shm"]) rmSync(join(dirname(file), name + part), { force: true });
  }
}
