import type { Mark } from "../core/stream/messages.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { eventService } from "../core/stream/routing.ts";
import { plainLine } from "../core/util/shown.ts";
import { type Active, believedFor, whoIsActive } from "../health/active.ts";
import {
  type Health,
  networkLevel,
  refusingQueues,
  serviceHealth,
  transcriberHealth,
  transcribes,
} from "../health/health.ts";
import type { HostStatus } from "../health/host-status.ts";
import { networkStatus } from "../operations/network-status.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import type { Screen } from "./screen.ts";
import { table } from "./table.ts";

/** How many refused rows and parked messages are named per service. */
const named = 5;
/** The longest note, in characters. */
const longest = 2_000;

/** Says how every host and service is. */
export const status: Command = {
  name: "status",
  summary: "how every host and service is: rows, what is stored, loaded, proved and owed, and why",
  operands: [],
  options: {
    ...projectOption,
    json: { type: "boolean", help: "as JSON" },
    verbose: { type: "boolean", short: "v", help: "also as of which epoch, change and directory each table is equal" },
  },
  more: `It reads the stores of the hosts on this machine, and the reports that a transcriber on it has kept; it asks no broker.

Columns
  rows      rows in force
  stored    newest place of the stream on the host's disk: the transcriber's clock, and the number in its epoch
  loaded    the place that the last successful run was given
  equal     the place at which the table was last compared and found equal: the transcriber's clock then, and the number in its epoch
  lag       how far loaded is behind stored while something is owed
  proved    whether the daemon was seen to serve what is loaded; no also where the service has no probe
  owed      keys, or plain messages, that wait to be in force
  refused   keys whose desired row is not taken (refused, held, other version); their last good row stays
  parked    plain messages that wait for \`trigger retry\` or \`trigger drop\`
  state     how it is, and what it waits for; docs/outage.md says what to do

Exit codes
  0  well
  1  late, held, parked or out of touch
  2  failing or down`,
  async run({ text, flag }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const now = Date.now();
    const hosts = await networkStatus(project, now, screen.signal);
    const runsEvent = (host: string): boolean => transcribes(project.config.hosts.get(host));
    const transcribers = hosts.filter(({ host }) => runsEvent(host));
    const active = whoIsActive(transcribers, now, believedFor(project.config));
    const level = networkLevel(hosts, runsEvent, now, active);
    if (flag("json")) screen.json({ level, at: now, active: active.host, hosts });
    else print(hosts, { runsEvent, active, now, verbose: flag("verbose") }, screen);
    return level;
  },
};

interface Printed {
  readonly runsEvent: (host: string) => boolean;
  readonly active: Active;
  readonly now: number;
  readonly verbose: boolean;
}

function print(hosts: readonly HostStatus[], { runsEvent, active, now, verbose }: Printed, screen: Screen): void {
  const lines: string[][] = [];
  const notes: string[] = [];
  for (const host of hosts) {
    if (runsEvent(host.host) && host.at !== undefined) {
      lines.push(transcriberLine(host, now, active, screen));
      if (host.transcriber) notes.push(...transcriberNotes(host.host, host.transcriber));
    }
    if (host.at === undefined)
      lines.push([host.host, "", "", "", "", "", "", "", "", "", "", "nothing is known of it here"]);
    for (const [service, report] of Object.entries(host.services)) {
      lines.push(serviceLine(host, service, report, now, screen));
      if (verbose && report.form === "table") notes.push(`${host.host} ${service}: ${equality(report, now)}`);
      notes.push(...serviceNotes(`${host.host} ${service}`, report));
    }
    if (host.trouble !== undefined) notes.push(`${host.host}: the broker: ${host.trouble}`);
  }
  const head = [
    "HOST",
    "SERVICE",
    "ROWS",
    "STORED",
    "LOADED",
    "EQUAL",
    "LAG",
    "PROVED",
    "OWED",
    "REFUSED",
    "PARKED",
    "STATE",
  ];
  screen.lines(table([head, ...lines], { right: [2, 8, 9, 10] }));
  if (notes.length > 0) screen.lines(["", ...notes.map((note) => plainLine(note, longest))]);
}

function serviceLine(host: HostStatus, service: string, report: ServiceReport, now: number, screen: Screen): string[] {
  const { rows, stored, loaded, equal, proved, owed, refusedCount, parkedCount, form } = report;
  const marks = form === "table" ? [place(stored, now), place(loaded, now), place(equal, now)] : ["", "", ""];
  const lag = owed > 0 && stored && loaded ? duration(stored.asOf.clock - loaded.asOf.clock) : "";
  const proof = form === "table" ? (proved ? "yes" : "no") : "";
  const health = painted(serviceHealth(service, report, host, now), screen);
  const counts = [String(owed), String(refusedCount), String(parkedCount)];
  return [host.host, service, form === "table" ? String(rows) : "", ...marks, lag, proof, ...counts, health];
}

function transcriberLine(host: HostStatus, now: number, active: Active, screen: Screen): string[] {
  const health = painted(transcriberHealth(host, now, active), screen);
  return [host.host, eventService, String(host.transcriber?.entries ?? ""), "", "", "", "", "", "", "", "", health];
}

function transcriberNotes(host: string, state: NonNullable<HostStatus["transcriber"]>): string[] {
  const { services, events, apart = {} } = state;
  const alone = Object.keys(apart).map(
    (name) => `${host}: ${name} is told apart: it holds epoch ${apart[name]} (docs/outage.md)`,
  );
  const refusing = refusingQueues(state).map((line) => `${host}: ${line}`);
  const refused = Object.entries(services)
    .filter(([, { refused }]) => refused > 0)
    .map(
      ([service, { refused }]) => `${host}: ${refused} refused for ${service}: \`trigger try ${service}\` lists them`,
    );
  const newest = events?.aside.newest;
  const aside = newest ? [`${host}: the newest message that was set aside: ${newest.why}`] : [];
  return [...alone, ...refusing, ...refused, ...aside];
}

function serviceNotes(name: string, report: ServiceReport): string[] {
  const { refused, refusedCount, parked, parkedCount, reloads, strangers } = report;
  const notes = [
    ...reloads.map((path) => `${name}: a reload of ${path} is still owed`),
    ...refused
      .slice(0, named)
      .map(({ key, why, kept }) => `${name}: ${key}: ${why}; ${kept ? "its last good row stays" : "it has no row"}`),
    ...(strangers ? [`${name}: ${sayStrangers(strangers)}`] : []),
    ...parked.slice(0, named).map(({ id, why }) => `${name}: parked message ${id}: ${why}`),
  ];
  const more = Math.max(0, refusedCount - named) + Math.max(0, parkedCount - named);
  return more > 0 ? [...notes, `${name}: ${more} more (--json)`] : notes;
}

function equality({ equal, why }: ServiceReport, now: number): string {
  if (!equal) return `never found equal${why === undefined ? "" : `: ${why}`}`;
  const { epoch, seq, asOf } = equal;
  const directory = asOf.state.length > 0 ? `; the directory at ${asOf.state.join(" ")}` : "";
  return `equal as of epoch ${epoch}, change ${seq}, checked ${time(equal, now)}${directory}`;
}

const sayStrangers = ({ count, why, at }: NonNullable<ServiceReport["strangers"]>): string =>
  `${count} messages were refused, the last one at ${new Date(at).toISOString()}: ${why}`;

const colours = ["green", "yellow", "red"] as const;

const painted = ({ level, says }: Health, { paint }: Screen): string =>
  paint(colours[level], plainLine(says.split("\n")[0] ?? "", longest));

const place = (mark: Mark | undefined, now: number): string => (mark ? `${time(mark, now)} #${mark.seq}` : "-");

/** The local time of a mark, with its date unless that is today's. */
function time(mark: Mark | undefined, now: number): string {
  if (!mark) return "-";
  // Sweden writes dates as ISO 8601 does.
  const [date = "", clock = ""] = new Date(mark.asOf.clock).toLocaleString("sv-SE").split(" ");
  return new Date(now).toLocaleString("sv-SE").startsWith(date) ? clock : `${date} ${clock}`;
}

const duration = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
};
