import { hostsOf, servicesOf, transcribersOf } from "../core/config/config.ts";
import { type AskMessage, covers, type DirectoryState, type Mark, protocolVersion } from "../core/stream/messages.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { queueOf, reportService, serviceKey } from "../core/stream/routing.ts";
import { systemClock } from "../daemon/clock.ts";
import type { HostStatus } from "../health/host-status.ts";
import type { Broker } from "../ports/broker.ts";
import { loadServices, type Project } from "../project/project.ts";
import { networkStatus } from "./network-status.ts";

/** The interval at which stores and reports are read, in milliseconds. */
const readInterval = 200;
/** The interval at which digests are asked for, in milliseconds. */
const askInterval = 1_000;

/** A table of a host that has not applied a change. */
export interface Late {
  /** The name of the host. */
  readonly host: string;
  /** The name of the service. */
  readonly service: string;
  /** The reason, for people. */
  readonly why: string;
}

/** Options of the wait for hosts. */
export interface NotAppliedOptions {
  readonly project: Project;
  readonly broker: Broker;
  /** The longest wait. */
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until every host has applied, in every table, the content of the directory at these CSNs. Returns the tables that are late at the end.
 * It reads the stores of this machine, and the reports that a transcriber of this machine has received.
 */
export async function notApplied(
  csns: DirectoryState,
  { project, broker, seconds, signal }: NotAppliedOptions,
): Promise<Late[]> {
  const { config } = project;
  const { services } = await loadServices(project, servicesOf(config));
  let open = [...services].flatMap(([service, definition]) =>
    "table" in definition ? hostsOf(config, service).map((host) => ({ host, service })) : [],
  );
  const end = systemClock.monotonic() + seconds * 1_000;
  for (let askedAt = systemClock.monotonic() - askInterval + readInterval; ; ) {
    const statuses = new Map(
      (await networkStatus(project, systemClock.now(), signal)).map((status) => [status.host, status]),
    );
    open = open.filter(({ host, service }) => !hasApplied(statuses.get(host)?.services[service], csns));
    const now = systemClock.monotonic();
    if (open.length === 0 || now >= end || signal.aborted) {
      return open.map(({ host, service }) => ({ host, service, why: whyNot(statuses.get(host), service, csns) }));
    }
    if (now - askedAt >= askInterval) {
      askedAt = now;
      const unheard = open.filter(({ host, service }) => !hasHeard(statuses.get(host)?.services[service], csns));
      void ask(project, broker, unheard).catch(() => {}); // without a broker no digest arrives, and the result lists these hosts
    }
    await systemClock.sleep(readInterval, signal);
  }
}

const holds = (mark: Mark | undefined, csns: DirectoryState): boolean =>
  mark !== undefined && covers(mark.asOf.state, csns);

/** True if the rows that the change affects are applied, or if it affects none, which a digest has shown. */
function hasApplied(report: ServiceReport | undefined, csns: DirectoryState): boolean {
  if (!report || report.why !== undefined || report.doubt || report.pending + report.reloads.length > 0) return false;
  return holds(report.applied, csns) || holds(report.equal, csns);
}

const hasHeard = (report: ServiceReport | undefined, csns: DirectoryState): boolean =>
  holds(report?.stored, csns) || holds(report?.equal, csns);

/** Asks for a digest in the name of hosts. Otherwise a change that affects no row of a service reaches its hosts with the next digest only. */
async function ask({ config }: Project, broker: Broker, unheard: readonly Omit<Late, "why">[]): Promise<void> {
  await broker.declare(transcribersOf(config).map((host) => queueOf(host, reportService, "report")));
  for (const { host, service } of unheard) {
    const message: AskMessage = { trigger: protocolVersion, kind: "ask", host, service, want: "digest" };
    await broker.publish(serviceKey(reportService), JSON.stringify(message));
  }
}

function whyNot(status: HostStatus | undefined, service: string, csns: DirectoryState): string {
  const report = status?.services[service];
  if (!status || status.at === undefined) return "no report here: ask where a transcriber runs";
  if (status.up === false) return "it is not up";
  if (status.trouble !== undefined) return status.trouble;
  if (!report || !hasHeard(report, csns)) return "the change has not reached it";
  if (report.why !== undefined) return report.why;
  if (report.reloads.length > 0) return `a reload is pending for ${report.reloads.join(", ")}`;
  return `${report.pending} pending`;
}
