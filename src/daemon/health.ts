import type { ServiceReport } from "../core/report.ts";
import { eventService } from "../core/routing.ts";
import { sayProgress } from "../core/steps.ts";
import { byPerson } from "../host/orders.ts";
import type { HostStatus } from "./status.ts";

/** How a service is: the number is the exit code of `trigger status`. */
export const levels = { well: 0, late: 1, failing: 2 } as const;
export type Level = (typeof levels)[keyof typeof levels];

export interface Health {
  readonly level: Level;
  readonly says: string;
}

/** A host that was told nothing for three digest intervals is out of touch, milliseconds. */
const outOfTouch = 3 * 60_000;

/** So long after the last message of a stranger a service is late: somebody is to look who it was, milliseconds. */
const strangerWithin = 60 * 60_000;

/** How one service of a host is. */
export function serviceHealth(service: string, report: ServiceReport, host: HostStatus, now: number): Health {
  if (host.up === false) return { level: levels.failing, says: "down: its process does not run" };
  const approval = `\`trigger approve ${service} ${report.inTheWay ?? ""}`.trimEnd();
  if (report.held !== undefined) {
    const isShown = report.inTheWay !== undefined && !report.held.startsWith(byPerson);
    const then = isShown ? `; \`trigger diff ${service}\`, then ${approval}\`` : "";
    return { level: levels.late, says: `held: ${report.held}${then}` };
  }
  // A daemon that fails is the more urgent; the removals wait, and are listed with the rows.
  if (report.failing) return { level: levels.failing, says: `failing: ${report.why}` };
  if (report.removals !== undefined) {
    const { rows, digest } = report.removals;
    const says = `held: ${rows} rows would go: \`trigger diff ${service}\`, then \`trigger approve ${service} ${digest}\``;
    return { level: levels.late, says };
  }
  if (report.parkedCount > 0) return { level: levels.late, says: `${report.parkedCount} parked: \`trigger retry\`` };
  if (report.strangers && now - report.strangers.at < strangerWithin) {
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
  if (!host.here && now - (host.at ?? 0) > outOfTouch) return { level: levels.late, says: "no report for minutes" };
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

/** How the transcriber of a host is. Of one elsewhere it is known only that it lives: who of them is active may change between two reports. */
export function transcriberHealth({ here, at, up, transcriber }: HostStatus, now: number): Health {
  if (!here) {
    const silent = now - (at ?? 0) > outOfTouch;
    return silent ? { level: levels.late, says: "no report for minutes" } : { level: levels.well, says: "it reports" };
  }
  if (up === false) return { level: levels.failing, says: `down: its process does not run` };
  if (!transcriber) return { level: levels.late, says: "nothing is known of it yet" };
  if (transcriber.trouble !== undefined)
    return { level: levels.failing, says: `the directory: ${transcriber.trouble}` };
  const { events } = transcriber;
  if (events?.trouble !== undefined)
    return { level: levels.failing, says: `events cannot be stored: ${events.trouble}` };
  if (events && events.aside.count > 0) {
    return { level: levels.late, says: `${events.aside.count} set aside that should be events: \`trigger seed\`` };
  }
  const far = transcriber.progress && `, ${sayProgress(transcriber.progress)}`;
  if (!transcriber.complete) return { level: levels.late, says: `reads the directory${far ?? ""}` };
  return { level: levels.well, says: `${transcriber.active ? "active" : "stands by"}${far ?? ""}` };
}

/** The worst of a network. */
export function networkLevel(hosts: readonly HostStatus[], runsEvent: (host: string) => boolean, now: number): Level {
  const all = hosts.flatMap((host) => {
    const services = Object.entries(host.services).map(
      ([name, report]) => serviceHealth(name, report, host, now).level,
    );
    const transcriber = runsEvent(host.host) && host.at !== undefined ? [transcriberHealth(host, now).level] : [];
    const unknown = host.at === undefined || host.trouble !== undefined ? [levels.late] : [];
    return [...services, ...transcriber, ...unknown];
  });
  return all.reduce((worst: Level, level) => (level > worst ? level : worst), levels.well);
}

/** Whether a host of a config transcribes. */
export const transcribes = (services: readonly string[] | undefined): boolean =>
  services?.includes(eventService) ?? false;
