import { transcribersOf } from "../core/config/config.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { systemClock } from "../daemon/clock.ts";
import type { Project } from "../project/project.ts";
import { networkStatus } from "./network-status.ts";

/** The hosts that get an order. */
export interface OrderedHosts {
  readonly project: Project;
  readonly service: string;
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Lines that say that none of these hosts waits under a digest, and list the waiting things, by the stores and reports here.
 * Undefined if one of the hosts waits under the digest.
 */
export async function notApprovable(digest: string, ordered: OrderedHosts): Promise<readonly string[] | undefined> {
  const { service, hosts } = ordered;
  const { waiting, unknown } = await find(ordered);
  if (waiting.some((one) => one.digest === digest)) return undefined;
  return [
    `nothing of ${service} is known to wait under ${digest}, so nothing was asked for`,
    ...waiting.map(({ line }) => line),
    ...unknown,
    ...(waiting.length + unknown.length === 0 ? [`  nothing waits for an approval on ${hosts.join(", ")}`] : []),
  ];
}

/** Lines for the rows and files of these hosts that wait for an approval with a digest. Empty if there are none. */
export async function waitsForDigest(ordered: OrderedHosts): Promise<readonly string[]> {
  const { service } = ordered;
  const { waiting, unknown } = await find(ordered);
  const lines = waiting.filter(({ digest }) => digest !== undefined).map(({ line }) => line);
  return [
    ...(lines.length > 0 ? [`${service} still waits for an approval with a digest:`, ...lines] : []),
    ...(unknown.length > 0 ? [`more of ${service} may wait:`, ...unknown] : []),
  ];
}

/** Lines for everything on these hosts that waits for a person, and for the hosts without a report. */
async function find({ project, service, hosts, signal }: OrderedHosts) {
  const network = await networkStatus(project, systemClock.now(), signal);
  const of = network.filter(({ host }) => hosts.includes(host));
  const waiting = of.flatMap(({ host, services }) =>
    waitingOf(services[service]).map(({ what, digest }) => {
      const command = `trigger approve ${service} ${digest ?? ""}`.trim();
      return { digest, line: `  ${host}: ${what}: \`${command}\`` };
    }),
  );
  const silent = of.filter(({ services }) => services[service] === undefined).map(({ host }) => host);
  const transcribers = transcribersOf(project.config).join(", ");
  const unknown = silent.length > 0 ? [`  no report here of ${silent.join(", ")}: try it on ${transcribers}`] : [];
  return { waiting, unknown };
}

interface Waiting {
  readonly what: string;
  /** The digest to approve; undefined for a hold that `approve` without a digest ends. */
  readonly digest: string | undefined;
}

/** The things of a service that wait for a person. */
function waitingOf(report: ServiceReport | undefined): Waiting[] {
  if (!report) return [];
  const { held, heldBy, conflict, removals } = report;
  const byPerson = heldBy === "person";
  // The reason of a hold of the whole service is more exact: files that would be removed are trigger's own.
  const what = held === undefined || byPerson ? "a conflict with foreign things" : held;
  return [
    ...(removals ? [{ digest: removals.digest, what: `${removals.rows} removals wait` }] : []),
    ...(conflict === undefined ? [] : [{ digest: conflict, what }]),
    ...(byPerson ? [{ digest: undefined, what: `held ${held}` }] : []),
  ];
}
