import { type Active, whoIsActive } from "./active.ts";
import { type Health, type Level, levels, worst } from "./health.ts";
import type { HostStatus } from "./host-status.ts";
import { serviceHealth } from "./service-health.ts";
import { transcriberHealth } from "./transcriber-health.ts";

/** The health of a network: what is late, since when, why, and what to type. */
export interface NetworkHealth {
  readonly level: Level;
  readonly active: Active;
  readonly hosts: readonly HostHealth[];
}

/** The health of one host: of each of its services, and of its transcriber. */
export interface HostHealth {
  readonly status: HostStatus;
  /** The health of a host without a report here. */
  readonly unknown: Health | undefined;
  /** The health of the transcriber, on a host that transcribes. */
  readonly transcriber: Health | undefined;
  readonly services: Readonly<Record<string, Health>>;
}

/** The facts beside the status of the hosts from which the health of a network follows. */
export interface Known {
  /** The hosts that transcribe. */
  readonly transcribers: readonly string[];
  /** The time for which the report of a transcriber elsewhere counts, in milliseconds. */
  readonly silenceLimit: number;
  /** The present, in milliseconds since 1970. */
  readonly now: number;
}

/** The health of a network, by the status of each of its hosts. */
export function networkHealth(hosts: readonly HostStatus[], known: Known): NetworkHealth {
  const transcribers = hosts.filter(({ host }) => known.transcribers.includes(host));
  const active = whoIsActive(transcribers, known.now, known.silenceLimit);
  const all = hosts.map((status) => hostHealth(status, transcribers, active, known));
  return { level: worst(all.map(levelOf)), active, hosts: all };
}

function hostHealth(
  status: HostStatus,
  transcribers: readonly HostStatus[],
  active: Active,
  { now }: Known,
): HostHealth {
  const isKnown = status.at !== undefined;
  return {
    status,
    unknown: isKnown ? undefined : noReport(transcribers),
    transcriber: isKnown && transcribers.includes(status) ? transcriberHealth(status, now, active) : undefined,
    services: Object.fromEntries(
      Object.entries(status.services).map(([name, report]) => [name, serviceHealth(name, report, status, now)]),
    ),
  };
}

/** The health of a host that has never reported to a transcriber of this machine. */
export function noReport(transcribers: readonly HostStatus[]): Health {
  const elsewhere = transcribers.filter(({ here }) => !here).map(({ host }) => host);
  const remedy = elsewhere.length === 0 ? undefined : `ask on ${elsewhere.join(" or ")}`;
  return { level: levels.late, state: "no report here", remedy };
}

function levelOf({ status, unknown, transcriber, services }: HostHealth): Level {
  const all = [...Object.values(services), ...(transcriber ? [transcriber] : []), ...(unknown ? [unknown] : [])];
  return worst([...all.map(({ level }) => level), ...(status.trouble === undefined ? [] : [levels.late])]);
}
