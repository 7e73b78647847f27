import { queueRemedy } from "../core/stream/queue-remedy.ts";
import type { ServiceReport, TranscriberReport } from "../core/stream/report.ts";
import { eventService, queueName } from "../core/stream/routing.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { ageOf } from "../core/util/age.ts";
import { sayProgress } from "../core/util/slices.ts";
import { type Active, outOfTouch } from "./active.ts";
import type { HostStatus } from "./host-status.ts";

/** How a service is: the number is the exit code of `trigger status`. */
export const levels = { well: 0, late: 1, failing: 2 } as const;
export type Level = (typeof levels)[keyof typeof levels];

export interface Health {
  readonly level: Level;
  readonly says: string;
}

/** So long after the last message of a stranger a service is late: somebody is to look who it was, milliseconds. */
const strangerWithin = 60 * 60_000;

/** How one service of a host is. */
export function serviceHealth(service: string, report: ServiceReport, host: HostStatus, now: number): Health {
  if (host.up === false) return { level: levels.failing, says: "down: its process does not run" };
  const approval = `\`trigger approve ${service} ${report.inTheWay ?? ""}`.trimEnd();
  if (report.held !== undefined) {
    const isShown = report.inTheWay !== undefined && report.heldBy !== "person";
    const then = isShown ? `; \`trigger diff ${service}\`, then ${approval}\`` : "";
    return { level: levels.late, says: `held: ${report.held}${then}` };
  }
  // A daemon that fails is the more urgent; the removals wait, and are listed with the rows.
  if (report.failing) return { level: levels.failing, says: `failing: ${report.why}` };
  if (report.removals !== undefined) {
    const { rows, digest } = report.removals;
    const says = `held: ${rows} ${rows === 1 ? "row" : "rows"} would go: \`trigger diff ${service}\`, then \`trigger approve ${service} ${digest}\``;
    return { level: levels.late, says };
  }
  if (report.parkedCount > 0) return { level: levels.late, says: `${report.parkedCount} parked: \`trigger retry\`` };
  if (report.strangers && ageOf(report.strangers.at, now) < strangerWithin) {
    const { count, why } = report.strangers;
    return { level: levels.late, says: `${count} of strangers refused: ${why}` };
  }
  if (report.owed > 0) return { level: levels.late, says: `late: ${report.why}` };
  if (report.form === "table") {
    if (!report.equal || report.doubt) return { level: levels.late, says: `late: ${report.why}` };
    const silence = now - report.equal.asOf.clock;
    if (silence > outOfTouch) {
      return { level: levels.late, says: `out of touch: not compared for ${Math.round(silence / 60_000)} min` };
    }
  }
  if (!host.here && ageOf(host.at ?? 0, now) > outOfTouch) return { level: levels.late, says: "no report for minutes" };
  const held = report.heldCount ?? 0;
  const others = report.refusedCount - held;
  const refused = others > 0 ? `, ${others} refused` : "";
  if (held > 0) {
    const says = `held: ${held} of its rows${refused}: \`trigger adopt ${service} NAME\`, or ${approval}\` for all`;
    return { level: levels.late, says };
  }
  if (report.form === "table" && report.rows === 0 && others > 0) {
    return { level: levels.late, says: `no row at all: ${others} refused` };
  }
  return { level: levels.well, says: `well${refused}` };
}

/** How the transcriber of a host is, when so much is known of who is active. */
export function transcriberHealth(host: HostStatus, now: number, active: Active): Health {
  const health = host.here ? healthHere(host, active) : healthElsewhere(host, now, active);
  if (!host.here || host.up === false || !active.nobody) return health;
  const says = health.says === standsBy ? "late: no transcriber is active" : `${health.says}; no transcriber is active`;
  return { level: Math.max(health.level, levels.late) as Level, says };
}

const standsBy = "stands by";

function healthHere({ host, up, transcriber }: HostStatus, active: Active): Health {
  if (up === false) return { level: levels.failing, says: `down: its process does not run` };
  if (!transcriber) return { level: levels.late, says: "nothing is known of it yet" };
  const inEvents = transcriber.trouble === undefined ? eventsHealth(transcriber) : undefined;
  const health =
    inEvents ?? healthOf(host, transcriber, active, transcriber.progress && `, ${sayProgress(transcriber.progress)}`);
  const refusing = refusingQueues(transcriber).length;
  if (health.level > levels.well || refusing === 0) return health;
  return {
    level: levels.late,
    says: `${health.says}; ${refusing} ${refusing === 1 ? "queue refuses" : "queues refuse"}`,
  };
}

/** The queues that refuse what the transcriber tells, each with what ends it. */
export const refusingQueues = ({ services }: TranscriberState): string[] =>
  Object.entries(services).flatMap(([service, { refusing = [] }]) =>
    refusing.map((host) => {
      const queue = queueName(host, service);
      return `queue ${queue} refuses messages, so ${host} is not told: ${queueRemedy(queue)}`;
    }),
  );

/** What is wrong where events are the truth. */
function eventsHealth({ events }: TranscriberState): Health | undefined {
  if (events?.trouble !== undefined)
    return { level: levels.failing, says: `events cannot be stored: ${events.trouble}` };
  if (!events || events.aside.count === 0) return undefined;
  return { level: levels.late, says: `${events.aside.count} set aside that should be events: \`trigger seed\`` };
}

function healthElsewhere({ host, at, said }: HostStatus, now: number, active: Active): Health {
  if (ageOf(at ?? 0, now) > outOfTouch) return { level: levels.late, says: "no report for minutes" };
  if (!said) return { level: levels.well, says: "it reports" };
  if (active.silent.includes(host)) {
    const seconds = Math.round((now - said.heard) / 1000);
    return { level: levels.late, says: `was active; no report for ${seconds} s` };
  }
  return healthOf(host, said, active);
}

/** Of one that says that it is active another is believed that says so in a higher epoch. */
function healthOf(host: string, state: TranscriberReport, active: Active, far = ""): Health {
  if (state.trouble !== undefined) return { level: levels.failing, says: `the directory: ${state.trouble}` };
  if (!state.complete) return { level: levels.late, says: `reads the directory${far}` };
  if (!state.active) return { level: levels.well, says: `${standsBy}${far}` };
  if (active.host === host) return { level: levels.well, says: `active${far}` };
  return { level: levels.late, says: `was active, until ${active.host ?? "another"} was` };
}

/** The worst of a network. */
export function networkLevel(
  hosts: readonly HostStatus[],
  runsEvent: (host: string) => boolean,
  now: number,
  active: Active,
): Level {
  const all = hosts.flatMap((host) => {
    const services = Object.entries(host.services).map(
      ([name, report]) => serviceHealth(name, report, host, now).level,
    );
    const transcriber =
      runsEvent(host.host) && host.at !== undefined ? [transcriberHealth(host, now, active).level] : [];
    const unknown = host.at === undefined || host.trouble !== undefined ? [levels.late] : [];
    return [...services, ...transcriber, ...unknown];
  });
  return all.reduce((worst: Level, level) => (level > worst ? level : worst), levels.well);
}

/** Whether a host of a config transcribes. */
export const transcribes = (services: readonly string[] | undefined): boolean =>
  services?.includes(eventService) ?? false;
