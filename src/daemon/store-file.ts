import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../core/util/errors.ts";
import { serviceReport } from "../host/report/report.ts";
import { type HostStore, hostStore } from "../host/store/host-store.ts";
import { attachOwned } from "../host/store/owned.ts";
import { migrateOwned, migrateStore } from "../host/store/schema.ts";
import type { Clock } from "../ports/clock.ts";
import { copiesBefore } from "../sqlite/copy-before.ts";
import { type Lock, takeLock } from "../sqlite/lock.ts";
import { OtherVersion } from "../sqlite/migrate.ts";
import { openDatabase, sqliteCode } from "../sqlite/open.ts";
import { openIntact } from "../sqlite/open-intact.ts";

/** The file of a host's store: `<state>/<host>/store.db`. */
export const storeFile = (state: string, host: string): string => join(state, host, "store.db");
/** The lock file of a host, which its process holds while it lives. */
export const lockFile = (state: string, host: string): string => join(state, host, "lock.db");

/** The folder for copies that a host's checks read if others may write beside the files. The next start removes copies of a killed process. */
export const scratchFolder = (state: string, host: string): string => join(state, host, "scratch");

/** The folder for last good files, and files kept aside, of folders that other users may write. */
export const keptFolder = (state: string, host: string): string => join(state, host, "kept");

/** The file of the records that a host wrote into shared daemons. It is no part of the store, whose tables come again if it is lost. */
export const ownedFile = (state: string, host: string): string => join(state, host, "owned.db");

/** The file of a directory that is made of events. It is no part of the store, for the same reason. */
export const directoryFile = (state: string, host: string): string => join(state, host, "directory.db");

/** The hosts among these whose store is on this machine. */
export const hostsHere = (state: string, hosts: readonly string[]): string[] =>
  hosts.filter((host) => isThere(storeFile(state, host)));

/** True if a file of a host's state exists. Throws a `UserError` if this user may not look. */
export function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** The error of a file of a host's state that cannot be read. It names the users who may read it: the file and its folder are private to their owner. */
export function unreadable(file: string, cause: unknown): UserError {
  if (cause instanceof OtherVersion) return new UserError(cause.message);
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const mayNot = ["EACCES", "EPERM"].includes(code) || sqliteCode(cause) === cannotOpen;
  const by = mayNot ? " by this user, only by root or the user that trigger runs as" : "";
  return new UserError(`${file}: cannot be read${by}`, { cause });
}

/** SQLITE_CANTOPEN: the code of SQLite for a file that this user may not open. */
const cannotOpen = 14;

/** The file of the embedded broker: `<state>/broker.db`. */
export const brokerFile = (state: string): string => join(state, "broker.db");

/** True if the process of a host lives: it holds the lock. */
export function isUp(state: string, host: string): boolean {
  const lock = takeLock(lockFile(state, host));
  lock?.release();
  return lock === undefined;
}

/** Takes the lock of a host: one process per host. Throws a `UserError` if another process holds it. */
export async function lockHost(state: string, host: string, clock: Clock, signal: AbortSignal): Promise<Lock> {
  // `trigger status` looks at the lock by taking it for a moment, hence a few tries.
  for (let tries = 0; tries < 5; tries++) {
    signal.throwIfAborted();
    const lock = takeLock(lockFile(state, host));
    if (lock) return lock;
    await clock.sleep(200, signal);
  }
  throw new UserError(`host ${host} is already up in another process (${lockFile(state, host)})`);
}

/** Opens a host's store. One that cannot be read is set aside, and the tables come again from the transcriber. */
export const openStore = (...options: Parameters<typeof openStoreFile>): HostStore =>
  hostStore(openStoreFile(...options));

/** Opens the file of a host's store. */
export function openStoreFile(
  state: string,
  host: string,
  now: number,
  log: (line: string) => void,
  damage?: Error,
): DatabaseSync {
  const lost = (line: string): void =>
    log(`its store ${line}; that file has its plain messages, and its tables come again from the transcriber`);
  const [file, owned] = [storeFile(state, host), ownedFile(state, host)];
  const forgot = (line: string): void =>
    log(`its list of records in shared daemons ${line}; these records count as foreign`);
  const migrated = (file: string, before: number): void => {
    const [copy] = copiesBefore(file);
    if (before > 0 && copy?.version === before) log(`${file} is migrated; the earlier file is kept as ${copy.file}`);
  };
  openIntact(owned, (opened) => migrated(owned, migrateOwned(opened)), { now, lost: forgot }).database.close();
  const prepare = (database: DatabaseSync): void => {
    migrated(file, migrateStore(database));
    attachOwned(database, owned);
    // The facts that a run and `status` read of each service: damage shows here.
    const store = hostStore(database);
    for (const service of store.services()) serviceReport(store.service(service));
  };
  return openIntact(file, prepare, { now, lost, damage }).database;
}

/** Attaches the records that a host wrote into daemons to its store, or to a copy of it. */
export function openOwned(database: DatabaseSync, file: string): void {
  const owned = openDatabase(file);
  try {
    migrateOwned(owned);
  } finally {
    owned.close();
  }
  attachOwned(database, file);
}
