import { transcribersOf } from "../core/config/config.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import type { Project } from "../project/project.ts";
import { networkStatus } from "./network-status.ts";

export interface Asked {
  readonly project: Project;
  readonly service: string;
  /** The hosts that are to approve. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Lines for a digest under which none of these hosts waits, as far as stores and reports here tell; they name what does wait.
 * Undefined if one of the hosts waits under the digest.
 */
export async function notApprovable(digest: string, asked: Asked): Promise<readonly string[] | undefined> {
  const { service, hosts } = asked;
  const { waits, unknown } = await found(asked);
  if (waits.some((one) => one.digest === digest)) return undefined;
  return [
    `nothing of ${service} is known to wait under ${digest}, so nothing was asked for`,
    ...waits.map(({ line }) => line),
    ...unknown,
    ...(waits.length + unknown.length === 0 ? [`  no approval is waited for on ${hosts.join(", ")}`] : []),
  ];
}

/** Lines for what waits on these hosts for an approval with a digest, which one without leaves as it is; none where nothing does. */
export async function waitsForDigest(asked: Asked): Promise<readonly string[]> {
  const { service } = asked;
  const { waits, unknown } = await found(asked);
  const lines = waits.filter(({ digest }) => digest !== undefined).map(({ line }) => line);
  const heading = `what waits of ${service} under a digest is not approved without it, and goes on waiting:`;
  return [
    ...(lines.length > 0 ? [heading, ...lines] : []),
    ...(unknown.length > 0 ? [`whether more of ${service} waits is not known here:`, ...unknown] : []),
  ];
}

/** Lines for what waits for a person on these hosts, and for those of which nothing is known. */
async function found({ project, service, hosts, signal }: Asked) {
  const network = await networkStatus(project, Date.now(), signal);
  const of = network.filter(({ host }) => hosts.includes(host));
  const waits = of.flatMap(({ host, services }) =>
    waitsOf(services[service]).map(({ what, digest }) => {
      const command = `trigger approve ${service} ${digest ?? ""}`.trim();
      return { digest, line: `  ${host}: ${what}: \`${command}\`` };
    }),
  );
  const silent = of.filter(({ services }) => services[service] === undefined).map(({ host }) => host);
  const transcribers = transcribersOf(project.config).join(", ");
  const unknown = silent.length > 0 ? [`  no report is here of ${silent.join(", ")}: try it on ${transcribers}`] : [];
  return { waits, unknown };
}

/** The things of a service that wait for a person, with the digest to approve; undefined for a hold that `approve` without a digest ends. */
function waitsOf(report: ServiceReport | undefined): { readonly what: string; readonly digest: string | undefined }[] {
  if (!report) return [];
  const { held, heldBy, inTheWay, removals } = report;
  const byPerson = heldBy === "person";
  // What holds the whole service says why: files that would go are trigger's own.
  const inTheWayOf = held === undefined || byPerson ? "trigger did not write what is there" : held;
  return [
    ...(removals ? [{ digest: removals.digest, what: `${removals.rows} removals wait` }] : []),
    ...(inTheWay === undefined ? [] : [{ digest: inTheWay, what: inTheWayOf }]),
    ...(byPerson ? [{ digest: undefined, what: `held ${held}` }] : []),
  ];
}
