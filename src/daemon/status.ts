import type { DatabaseSync } from "node:sqlite";
import { transcribersOf } from "../core/config.ts";
import type { ServiceReport } from "../core/report.ts";
import { eventService } from "../core/routing.ts";
import { attachOwnedToRead } from "../host/owned.ts";
import { serviceReport } from "../host/report.ts";
import type { Project } from "../project/project.ts";
import { takeLock } from "../sqlite/lock.ts";
import { openDatabase, patiently } from "../sqlite/open.ts";
import type { TranscriberState } from "../transcriber/transcriber.ts";
import { readReports, readTranscriberState } from "./network.ts";
import { hasHostTables, isThere, lockFile, ownedFile, storeFile, unreadable } from "./store-file.ts";

/** What is known of one host of the config. */
export interface HostStatus {
  readonly host: string;
  /** Read from the host's own store, on this machine, rather than from what it last reported. */
  readonly here: boolean;
  /** Whether its process lives; undefined when it is elsewhere. */
  readonly up: boolean | undefined;
  /** When this was true, milliseconds since 1970; undefined when nothing is known of the host. */
  readonly at: number | undefined;
  /** What its broker connection suffers from. */
  readonly trouble: string | undefined;
  readonly services: Readonly<Record<string, ServiceReport>>;
  readonly transcriber: TranscriberState | undefined;
}

/** Reads what this machine knows of every host: its own hosts' stores, and the reports that a transcriber here has kept. It asks no broker. */
export async function networkStatus(project: Project, now: number, signal: AbortSignal): Promise<HostStatus[]> {
  const { config, state } = project;
  const here = new Map<string, HostStatus>();
  const reported = new Map<string, HostStatus>();
  for (const [host, services] of config.hosts) {
    const file = storeFile(state, host);
    if (!isThere(file)) continue;
    // A host that is starting may have its store to itself for a moment.
    const found = await patiently(() => readStore(file, project, host, services, now), signal).catch((cause) => {
      throw unreadable(file, cause);
    });
    if (!found) continue;
    here.set(host, found.own);
    for (const report of found.reports) {
      const status = { here: false, up: undefined, trouble: undefined, transcriber: undefined };
      reported.set(report.host, { ...status, host: report.host, at: report.at, services: report.services });
    }
  }
  const unheard = {
    here: false,
    up: undefined,
    at: undefined,
    trouble: undefined,
    transcriber: undefined,
    services: {},
  };
  return [...config.hosts.keys()].map((host) => here.get(host) ?? reported.get(host) ?? { ...unheard, host });
}

/** What the store of a host here says of it, and of others where it transcribes; undefined for one that is only being made. */
function readStore(file: string, project: Project, host: string, services: readonly string[], now: number) {
  const database = openDatabase(file, { readOnly: true });
  try {
    if (!hasHostTables(database)) return undefined;
    const owned = ownedFile(project.state, host);
    attachOwnedToRead(database, isThere(owned) ? owned : undefined);
    const reports = transcribersOf(project.config).includes(host) ? readReports(database) : [];
    return { own: ownStatus(database, project, host, services, now), reports };
  } finally {
    database.close();
  }
}

function ownStatus(
  database: DatabaseSync,
  { state }: Project,
  host: string,
  services: readonly string[],
  now: number,
): HostStatus {
  const life = database.prepare("SELECT trouble FROM life").get();
  const own = services.filter((service) => service !== eventService);
  return {
    host,
    here: true,
    up: isUp(state, host),
    at: now,
    trouble: typeof life?.trouble === "string" ? life.trouble : undefined,
    services: Object.fromEntries(own.map((service) => [service, serviceReport(database, service)])),
    transcriber: services.includes(eventService) ? readTranscriberState(database) : undefined,
  };
}

function isUp(state: string, host: string): boolean {
  const lock = takeLock(lockFile(state, host));
  lock?.release();
  return lock === undefined;
}
