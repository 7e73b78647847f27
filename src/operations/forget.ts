import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { transcribersOf } from "../core/config/config.ts";
import { controlService, eventService, queueName, reportService } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { copiesOf, removeLeftCopies } from "../daemon/copies.ts";
import { hostsHere, lockFile, openOwned, ownedFile, scratchFolder, storeFile } from "../daemon/store-file.ts";
import { disown } from "../host/install/folder.ts";
import type { LeftThere } from "../host/store/forget.ts";
import { type HostStore, hostStore } from "../host/store/host-store.ts";
import { hasHostTables, migrateStore, storeMustBeCurrent } from "../host/store/schema.ts";
import { realMachine } from "../machines/real.ts";
import { type Broker, QueueInUse } from "../ports/broker.ts";
import { type Project, serviceNames } from "../project/project.ts";
import { leftBeside } from "../sqlite/copy-before.ts";
import { takeLock } from "../sqlite/lock.ts";
import { openDatabase, retryWhileBusy } from "../sqlite/open.ts";

/** The things of a host, or of one of its services, that were removed. */
export interface Forgotten {
  readonly queues: readonly string[];
  /** The transcribers of this machine that had a report of the host. */
  readonly reports: readonly string[];
  /** The services of the host's own store on this machine, now forgotten. Their files and records stay unchanged. */
  readonly left: readonly LeftThere[];
  /** The folder of a host's state, and the names that are still in it; undefined if there was none. */
  readonly state: { readonly folder: string; readonly stays: readonly string[] } | undefined;
}

/** Options of `forget`. */
export interface ForgetOptions {
  readonly broker: Broker;
  readonly signal: AbortSignal;
}

/**
 * Removes the queues, reports and store of a host, or of one of its services, that the config no longer has.
 * Throws a `UserError`, and removes nothing, while it is in use.
 */
export async function forget(
  project: Project,
  host: string,
  service: string | undefined,
  { broker, signal }: ForgetOptions,
): Promise<Forgotten> {
  const { config, state } = project;
  const transcribers = hostsHere(state, transcribersOf(config));
  const own = hostsHere(state, [host])[0];
  const isGone = !config.hosts.has(host);
  const lock = own !== undefined && isGone ? takeLock(lockFile(state, host)) : undefined;
  if (own !== undefined && isGone && !lock) throw new UserError(`${host} is up on this machine: stop it first`);
  try {
    const wanted = (await candidates()).map((name) => queueName(host, name));
    const queues = await broker.remove(wanted).catch((error) => {
      throw error instanceof QueueInUse ? new UserError(error.message) : error;
    });
    const reports: string[] = [];
    for (const transcriber of transcribers) {
      if (await inStore(transcriber, (store) => store.transcriber.forgetReport(host, service)))
        reports.push(transcriber);
    }
    const left = own === undefined ? [] : await inStore(host, forgetServices);
    return { queues, reports, left: left ?? [], state: lock && removeState(state, host) };
  } finally {
    lock?.release();
    if (lock) removeLock(state, host);
  }

  /** The services that may have queues: no broker lists them. */
  async function candidates(): Promise<string[]> {
    if (service !== undefined) return [service];
    const names = new Set([...serviceNames(project), eventService, reportService, controlService]);
    const add = (more: Iterable<string>): void => {
      for (const name of more) names.add(name);
    };
    for (const transcriber of transcribers) {
      const reports = await inStore(transcriber, (store) => store.transcriber.reports());
      for (const report of reports ?? []) if (report.host === host) add(Object.keys(report.services));
    }
    if (own !== undefined) add((await inStore(host, (store) => store.services())) ?? []);
    return [...names].sort();
  }

  async function forgetServices(store: HostStore): Promise<LeftThere[]> {
    const { files } = realMachine();
    const found: LeftThere[] = [];
    for (const name of service === undefined ? store.services() : [service]) {
      const left = store.leftBy(name);
      if (!left) continue;
      for (const path of left.files) await disown(files, path);
      await retryWhileBusy(() => store.forget(name), signal);
      found.push(left);
    }
    return found;
  }

  async function inStore<T>(of: string, work: (store: HostStore) => T | Promise<T>): Promise<T | undefined> {
    const database = await retryWhileBusy(() => openDatabase(storeFile(state, of)), signal);
    try {
      if (!hasHostTables(database)) return undefined;
      if (of === host && lock) migrateStore(database);
      else storeMustBeCurrent(database);
      openOwned(database, ownedFile(state, of));
      return await retryWhileBusy(() => work(hostStore(database)), signal);
    } finally {
      database.close();
    }
  }
}

/** Removes the store of a host that is no longer in the config. Other files of its folder, such as a directory of events, may be the only copy. */
function removeState(state: string, host: string): Forgotten["state"] {
  for (const file of [storeFile(state, host), ownedFile(state, host)]) {
    for (const name of [file, `${file}-wal`, `${file}-shm`, ...leftBeside(file)]) rmSync(name, { force: true });
  }
  removeLeftCopies(state, host);
  removeEmpty(copiesOf(state, host));
  rmSync(scratchFolder(state, host), { recursive: true, force: true });
  const folder = dirname(storeFile(state, host));
  const lock = lockFile(state, host);
  return { folder, stays: readdirSync(folder).filter((name) => !lock.endsWith(`/${name}`)) };
}

function removeLock(state: string, host: string): void {
  const file = lockFile(state, host);
  rmSync(file, { force: true });
  removeEmpty(dirname(file));
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}
