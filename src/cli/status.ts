import { transcribersOf } from "../core/config/config.ts";
import type { Mark } from "../core/stream/messages.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { eventService } from "../core/stream/routing.ts";
import { plainLine } from "../core/util/shown.ts";
import { silenceLimit } from "../health/active.ts";
import type { Health } from "../health/health.ts";
import type { HostStatus } from "../health/host-status.ts";
import { type HostHealth, networkHealth } from "../health/network-health.ts";
import { sayHealth } from "../health/say-health.ts";
import { blockedQueues, unfinishedEntries } from "../health/transcriber-health.ts";
import { networkStatus } from "../operations/network-status.ts";
import { openProject } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import type { Screen } from "./screen.ts";
import { table } from "./table.ts";

/** The number of refused rows, and of parked messages, that are named per service, and of namesakes per transcriber. */
const named = 5;
/** The longest note, in characters. */
const longest = 2_000;

/** Prints the health of every host and service. */
export const status: Command = {
  name: "status",
  summary: "the health of every host and service: rows, places stored and applied, serving, pending, and the reasons",
  operands: [],
  options: {
    ...projectOption,
    json: { type: "boolean", help: "as JSON" },
    verbose: {
      type: "boolean",
      short: "v",
      help: "also the epoch, change and directory state at which each table is equal",
    },
  },
  more: `It reads the stores of the hosts on this machine, and the last reports of other hosts that a transcriber on it has
stored. It asks no broker.

Columns
  rows      rows that are applied
  stored    newest place in the stream on the host's disk: the transcriber's clock, and the number in its epoch
  applied   place of the stream that the last successful run reached
  equal     place at which the table was last compared and found equal: the transcriber's clock then, and the number
  lag       how far applied is behind stored while something is pending
  serving   yes if a probe saw the daemon serve what is applied, no if it or the run failed; - without a probe
  pending   keys, or plain messages, that wait to be applied
  refused   keys whose desired row is not applied (refused, held, other version); the last good row is retained
  parked    plain messages that wait for \`trigger retry\` or \`trigger drop\`
  state     its health, since when, the reason, and the command to type; docs/outage.md says more

Exit codes
  0  well
  1  late, held, parked or without a report
  2  failing or down`,
  async run({ text, flag }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const now = Date.now();
    const hosts = await networkStatus(project, now, screen.signal);
    const { config } = project;
    const known = { transcribers: transcribersOf(config), silenceLimit: silenceLimit(config), now };
    const { level, active, hosts: all } = networkHealth(hosts, known);
    if (flag("json")) screen.json({ level, at: now, active: active.host, hosts });
    else print(all, { now, verbose: flag("verbose") }, screen);
    return level;
  },
};

interface PrintOptions {
  readonly now: number;
  readonly verbose: boolean;
}

const heads = [
  "HOST",
  "SERVICE",
  "ROWS",
  "STORED",
  "APPLIED",
  "EQUAL",
  "LAG",
  "SERVING",
  "PENDING",
  "REFUSED",
  "PARKED",
];

function print(hosts: readonly HostHealth[], { now, verbose }: PrintOptions, screen: Screen): void {
  const lines: string[][] = [];
  const notes: string[] = [];
  const empty = (cells: number): string[] => Array<string>(cells).fill("");
  const state = (health: Health): string => {
    const line = sayHealth(health, (at) => time(at, now));
    return screen.paint(colours[health.level], plainLine(line, longest));
  };
  for (const { status, unknown, transcriber, services } of hosts) {
    const { host } = status;
    if (transcriber) {
      const entries = String(status.transcriber?.entries ?? "");
      lines.push([host, eventService, entries, ...empty(heads.length - 3), state(transcriber)]);
      if (status.transcriber) notes.push(...transcriberNotes(host, status.transcriber, (at) => time(at, now)));
    }
    if (unknown) lines.push([host, ...empty(heads.length - 1), state(unknown)]);
    for (const [service, health] of Object.entries(services)) {
      const report = status.services[service];
      if (!report) continue;
      lines.push([host, service, ...serviceCells(report, now), state(health)]);
      if (verbose && report.form === "table") notes.push(`${host} ${service}: ${equality(report, now)}`);
      notes.push(...serviceNotes(`${host} ${service}`, report));
    }
    if (status.trouble !== undefined) notes.push(`${host}: the broker: ${status.trouble}`);
  }
  screen.lines(table([[...heads, "STATE"], ...lines], { right: [2, 8, 9, 10] }));
  if (notes.length > 0) screen.lines(["", ...notes.map((note) => plainLine(note, longest))]);
}

/** The cells of a service between its name and its state. */
function serviceCells(report: ServiceReport, now: number): string[] {
  const { rows, stored, applied, equal, pending, refusedCount, parkedCount, form } = report;
  const counts = [String(pending), String(refusedCount), String(parkedCount)];
  if (form === "plain") return ["", "", "", "", "", "", ...counts];
  const lag = pending > 0 && stored && applied ? duration(stored.asOf.clock - applied.asOf.clock) : "";
  return [String(rows), place(stored, now), place(applied, now), place(equal, now), lag, sayServing(report), ...counts];
}

/** The result of the last probe, or a dash without one. */
const sayServing = ({ serving }: ServiceReport): string => (serving === undefined ? "-" : serving ? "yes" : "no");

function transcriberNotes(
  host: string,
  state: NonNullable<HostStatus["transcriber"]>,
  time: (at: number) => string,
): string[] {
  const { services, events, ownEpochs = {}, namesakes = [] } = state;
  const divergent = Object.keys(ownEpochs).map(
    (name) => `${host}: ${name} has an epoch of its own, ${ownEpochs[name]} (docs/outage.md)`,
  );
  const alike = namesakes.slice(0, named).map((line) => `${host}: ${line} (docs/ldap.md)`);
  if (namesakes.length > named) alike.push(`${host}: and ${namesakes.length - named} more such names`);
  const waiting = [...blockedQueues(state), ...unfinishedEntries(state, time)].map((line) => `${host}: ${line}`);
  const refused = Object.entries(services)
    .filter(([, { refused }]) => refused > 0)
    .map(
      ([service, { refused }]) => `${host}: ${refused} refused for ${service}: \`trigger try ${service}\` lists them`,
    );
  const newest = events?.setAside.newest;
  const aside = newest ? [`${host}: the newest message that was set aside: ${newest.why}`] : [];
  return [...divergent, ...alike, ...waiting, ...refused, ...aside];
}

function serviceNotes(name: string, report: ServiceReport): string[] {
  const { refused, refusedCount, parked, parkedCount, reloads, untrusted } = report;
  const notes = [
    ...reloads.map((path) => `${name}: a reload of ${path} is still pending`),
    ...refused
      .slice(0, named)
      .map(
        ({ key, why, retained }) =>
          `${name}: ${key}: ${why}; ${retained ? "its last good row is retained" : "it has no row"}`,
      ),
    ...(untrusted ? [`${name}: ${sayUntrusted(untrusted)}`] : []),
    ...parked.slice(0, named).map(({ id, why }) => `${name}: parked message ${id}: ${why}`),
  ];
  const more = Math.max(0, refusedCount - named) + Math.max(0, parkedCount - named);
  return more > 0 ? [...notes, `${name}: ${more} more (--json)`] : notes;
}

function equality({ equal, why }: ServiceReport, now: number): string {
  if (!equal) return `never found equal${why === undefined ? "" : `: ${why}`}`;
  const { epoch, seq, asOf } = equal;
  const directory = asOf.state.length > 0 ? `; the directory at ${asOf.state.join(" ")}` : "";
  return `equal as of epoch ${epoch}, change ${seq}, checked ${time(asOf.clock, now)}${directory}`;
}

const sayUntrusted = ({ count, why, at }: NonNullable<ServiceReport["untrusted"]>): string =>
  `untrusted messages rejected: ${count}, the last one at ${new Date(at).toISOString()}: ${why}`;

const colours = ["green", "yellow", "red"] as const;

const place = (mark: Mark | undefined, now: number): string =>
  mark ? `${time(mark.asOf.clock, now)} #${mark.seq}` : "-";

/** The local time of a moment, with its date unless it is of today. */
function time(at: number, now: number): string {
  // Sweden writes dates as ISO 8601 does.
  const [date = "", clock = ""] = new Date(at).toLocaleString("sv-SE").split(" ");
  return new Date(now).toLocaleString("sv-SE").startsWith(date) ? clock : `${date} ${clock}`;
}

const duration = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
};
