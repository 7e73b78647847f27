import { hostsOf, servicesOf, transcribersOf } from "../core/config/config.ts";
import { type AskMessage, covers, type DirectoryState, type Mark, protocolVersion } from "../core/stream/messages.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { queueOf, reportService, serviceKey } from "../core/stream/routing.ts";
import { systemClock } from "../daemon/clock.ts";
import type { HostStatus } from "../health/host-status.ts";
import type { Broker } from "../ports/broker.ts";
import { loadServices, type Project } from "../project/project.ts";
import { networkStatus } from "./network-status.ts";

/** How often the stores and reports are looked at, and how often a digest is asked for, in milliseconds. */
const pace = 200;
const askPace = 1_000;

/** A table of a host that has not applied a change. */
export interface Late {
  /** The name of the host. */
  readonly host: string;
  /** The name of the service. */
  readonly service: string;
  /** The reason, for people. */
  readonly why: string;
}

export interface ArrivalOptions {
  readonly project: Project;
  readonly broker: Broker;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until every table of every host holds what the directory held at these CSNs; gives those that do not in time.
 * It looks at the stores of this machine, and at what a transcriber of this machine has heard of the others.
 */
export async function notLoaded(
  csns: DirectoryState,
  { project, broker, seconds, signal }: ArrivalOptions,
): Promise<Late[]> {
  const { config } = project;
  const { services } = await loadServices(project, servicesOf(config));
  let open = [...services].flatMap(([service, definition]) =>
    "table" in definition ? hostsOf(config, service).map((host) => ({ host, service })) : [],
  );
  const end = systemClock.monotonic() + seconds * 1_000;
  for (let askedAt = systemClock.monotonic() - askPace + pace; ; ) {
    const statuses = new Map(
      (await networkStatus(project, systemClock.now(), signal)).map((status) => [status.host, status]),
    );
    open = open.filter(({ host, service }) => !hasLoaded(statuses.get(host)?.services[service], csns));
    const now = systemClock.monotonic();
    if (open.length === 0 || now >= end || signal.aborted) {
      return open.map(({ host, service }) => ({ host, service, why: whyNot(statuses.get(host), service, csns) }));
    }
    if (now - askedAt >= askPace) {
      askedAt = now;
      const unheard = open.filter(({ host, service }) => !hasHeard(statuses.get(host)?.services[service], csns));
      void ask(project, broker, unheard).catch(() => {}); // without a broker nothing arrives: the end says so
    }
    await systemClock.sleep(pace, signal);
  }
}

const holds = (mark: Mark | undefined, csns: DirectoryState): boolean =>
  mark !== undefined && covers(mark.asOf.state, csns);

/** What the change moved there is in force; or it moved nothing, which a digest has shown. */
function hasLoaded(report: ServiceReport | undefined, csns: DirectoryState): boolean {
  if (!report || report.why !== undefined || report.doubt || report.owed + report.reloads.length > 0) return false;
  return holds(report.loaded, csns) || holds(report.equal, csns);
}

const hasHeard = (report: ServiceReport | undefined, csns: DirectoryState): boolean =>
  holds(report?.stored, csns) || holds(report?.equal, csns);

/** A change that moves no row of a service is not told to its hosts before the next digest: so that one is asked for, in their name. */
async function ask({ config }: Project, broker: Broker, unheard: readonly Omit<Late, "why">[]): Promise<void> {
  await broker.declare(transcribersOf(config).map((host) => queueOf(host, reportService, "report")));
  for (const { host, service } of unheard) {
    const message: AskMessage = { trigger: protocolVersion, kind: "ask", host, service, want: "digest" };
    await broker.publish(serviceKey(reportService), JSON.stringify(message));
  }
}

function whyNot(status: HostStatus | undefined, service: string, csns: DirectoryState): string {
  const report = status?.services[service];
  if (!status || status.at === undefined) return "nothing is known of it here: ask where a transcriber runs";
  if (status.up === false) return "it is not up";
  if (status.trouble !== undefined) return status.trouble;
  if (!report || !hasHeard(report, csns)) return "it has not heard of the change";
  if (report.why !== undefined) return report.why;
  if (report.reloads.length > 0) return `a reload is owed for ${report.reloads.join(", ")}`;
  return `${report.owed} owed`;
}
