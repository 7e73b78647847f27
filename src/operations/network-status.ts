import { transcribersOf } from "../core/config/config.ts";
import { eventService } from "../core/stream/routing.ts";
import { isThere, isUp, ownedFile, storeFile, unreadable } from "../daemon/store-file.ts";
import type { HostStatus } from "../health/host-status.ts";
import { serviceReport } from "../host/report/report.ts";
import { type HostStore, hostStore } from "../host/store/host-store.ts";
import { attachOwnedToRead } from "../host/store/owned.ts";
import { hasHostTables, storeMustBeCurrent } from "../host/store/schema.ts";
import type { StoredReport } from "../host/store/transcriber-notes.ts";
import type { Project } from "../project/project.ts";
import { openDatabase, retryWhileBusy } from "../sqlite/open.ts";

/**
 * The status of every host, as far as this machine knows it. The stores of its own hosts have theirs. A transcriber here
 * has stored the last reports of the others. Asks no broker.
 */
export async function networkStatus(project: Project, now: number, signal: AbortSignal): Promise<HostStatus[]> {
  const { config, state } = project;
  const here = new Map<string, HostStatus>();
  const reported = new Map<string, HostStatus>();
  for (const [host, services] of config.hosts) {
    const file = storeFile(state, host);
    if (!isThere(file)) continue;
    // A host that is starting may lock its store for a moment.
    const found = await retryWhileBusy(() => readStore(file, project, host, services, now), signal).catch((cause) => {
      throw unreadable(file, cause);
    });
    if (!found) continue;
    here.set(host, found.own);
    for (const report of found.reports) {
      const status = reportedStatus(report);
      // One of two transcribers here may have been down for long.
      if ((reported.get(report.host)?.at ?? 0) <= (status.at ?? 0)) reported.set(report.host, status);
    }
  }
  return [...config.hosts.keys()].map(
    (host) =>
      here.get(host) ??
      reported.get(host) ?? { ...elsewhere, at: undefined, transcriberReport: undefined, services: {}, host },
  );
}

const elsewhere = { here: false, up: undefined, trouble: undefined, transcriber: undefined, since: undefined };

const reportedStatus = ({ host, at, heard = at, services, transcriber, trouble }: StoredReport): HostStatus => ({
  ...{ ...elsewhere, host, at: heard, services, trouble }, // by this machine's clock: the host's own may be wrong
  transcriberReport: transcriber && { ...transcriber, heard },
});

/** The status of a host here from its store, and the reports in it if the host transcribes; undefined while the store is being made. */
function readStore(file: string, project: Project, host: string, services: readonly string[], now: number) {
  const database = openDatabase(file, { readOnly: true });
  try {
    if (!hasHostTables(database)) return undefined;
    storeMustBeCurrent(database);
    const owned = ownedFile(project.state, host);
    attachOwnedToRead(database, isThere(owned) ? owned : undefined);
    const store = hostStore(database);
    const reports = transcribersOf(project.config).includes(host) ? store.transcriber.reports() : [];
    return { own: ownStatus(store, project, host, services, now), reports };
  } finally {
    database.close();
  }
}

function ownStatus(
  store: HostStore,
  { state }: Project,
  host: string,
  services: readonly string[],
  now: number,
): HostStatus {
  const { trouble, since } = store.life();
  const own = services.filter((service) => service !== eventService);
  return {
    host,
    here: true,
    up: isUp(state, host),
    at: now,
    trouble,
    services: Object.fromEntries(own.map((service) => [service, serviceReport(store.service(service))])),
    transcriber: services.includes(eventService) ? store.transcriber.state() : undefined,
    transcriberReport: undefined,
    since,
  };
}
