import { queueRemedy } from "../core/stream/queue-remedy.ts";
import type { TranscriberReport } from "../core/stream/report.ts";
import { queueName } from "../core/stream/routing.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { unfinishedLine } from "../core/stream/unfinished-line.ts";
import { ageOf } from "../core/util/age.ts";
import { sayProgress } from "../core/util/slices.ts";
import type { Active } from "./active.ts";
import { type Health, levels, reportTimeout, worst } from "./health.ts";
import type { HostStatus } from "./host-status.ts";

/** The health of the transcriber of a host, given the active one. */
export function transcriberHealth(host: HostStatus, now: number, active: Active): Health {
  const health = host.here ? healthHere(host, active) : healthElsewhere(host, now, active);
  if (!host.here || host.up === false || !active.none) return health;
  const none = "no transcriber is active";
  if (health.state === standby) return { level: levels.late, state: "late", why: none };
  const level = worst([health.level, levels.late]);
  if (health.why === undefined) return { ...health, level, state: `${health.state}; ${none}` };
  return { ...health, level, why: `${none}; ${health.why}` };
}

const standby = "standby";

function healthHere({ host, up, transcriber }: HostStatus, active: Active): Health {
  if (up === false) return { level: levels.failing, state: "down", why: "its process is not running" };
  if (!transcriber) return { level: levels.late, state: "no report yet" };
  const { trouble, troubleSince, progress } = transcriber;
  const inEvents = trouble === undefined ? eventsHealth(transcriber) : undefined;
  const health = inEvents ?? healthOf(host, transcriber, active, progress && `, ${sayProgress(progress)}`);
  const blocked = blockedQueues(transcriber).length;
  const open = Object.values(transcriber.services).reduce((sum, { unfinished }) => sum + (unfinished?.count ?? 0), 0);
  if (health.level > levels.well || blocked + open === 0) {
    return trouble === undefined ? health : { ...health, since: troubleSince };
  }
  const troubles = [
    ...(blocked > 0 ? [`${blocked} ${blocked === 1 ? "queue refuses" : "queues refuse"}`] : []),
    ...(open > 0 ? [`select does not end for ${open} ${open === 1 ? "entry" : "entries"}`] : []),
  ];
  return { ...health, level: levels.late, state: [health.state, ...troubles].join("; ") };
}

/** The entries whose `select` did not end in time, each with the remedy. `time` writes a time in words. */
export const unfinishedEntries = ({ services }: TranscriberState, time: (at: number) => string): string[] =>
  Object.entries(services).flatMap(([service, { unfinished }]) => {
    const { count = 0, first = [] } = unfinished ?? {};
    const lines = first.map(({ dn, since }) => unfinishedLine(service, dn, ` since ${time(since)}`));
    return count > first.length ? [...lines, `${service}: and ${count - first.length} more such entries`] : lines;
  });

/** The queues that refuse messages of a transcriber, each with the remedy. */
export const blockedQueues = ({ services }: TranscriberState): string[] =>
  Object.entries(services).flatMap(([service, { refusing = [] }]) =>
    refusing.map((host) => {
      const queue = queueName(host, service);
      return `queue ${queue} refuses messages, so ${host} gets no changes: ${queueRemedy(queue)}`;
    }),
  );

/** The trouble of a directory that is made of events; undefined if there is none. */
function eventsHealth({ events }: TranscriberState): Health | undefined {
  if (events?.trouble !== undefined) {
    return { level: levels.failing, state: "events cannot be stored", why: events.trouble };
  }
  const aside = events?.setAside.count ?? 0;
  if (aside === 0) return undefined;
  const state = `${aside} unreadable ${aside === 1 ? "event" : "events"} set aside`;
  return { level: levels.late, state, remedy: "`trigger seed`" };
}

function healthElsewhere({ host, at, transcriberReport }: HostStatus, now: number, active: Active): Health {
  if (ageOf(at ?? 0, now) > reportTimeout) return { level: levels.late, state: "no report", since: at };
  if (!transcriberReport) return { level: levels.well, state: "it reports" };
  if (active.silent.includes(host)) {
    return { level: levels.late, state: "was active; no report", since: transcriberReport.heard };
  }
  return healthOf(host, transcriberReport, active);
}

/**
 * The health by a transcriber's own report. Of several that call themselves active, the one in the highest epoch
 * counts.
 */
function healthOf(host: string, state: TranscriberReport, active: Active, progress = ""): Health {
  if (state.trouble !== undefined) return { level: levels.failing, state: "the directory", why: state.trouble };
  if (!state.complete) return { level: levels.late, state: `reads the directory${progress}` };
  if (!state.active) return { level: levels.well, state: `${standby}${progress}` };
  if (active.host === host) return { level: levels.well, state: `active${progress}` };
  return { level: levels.late, state: `superseded by ${active.host ?? "another one"}` };
}
