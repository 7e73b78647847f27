import { hostsOf, servicesOf, transcribersOf } from "../core/config/config.ts";
import type { DaemonCompared, ServiceReport } from "../core/stream/report.ts";
import { eventService } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { connectBroker } from "../daemon/broker.ts";
import { systemClock } from "../daemon/clock.ts";
import { sharedBroker } from "../daemon/shared-broker.ts";
import type { HostStatus } from "../health/host-status.ts";
import { loadServices, type Project } from "../project/project.ts";
import { giveOrder, type HostAnswer } from "./give-order.ts";
import { networkStatus } from "./network-status.ts";

/** The longest wait for the next answer, in milliseconds: the comparison of a daemon may take a minute. */
const answerTimeout = 75_000;
/** The interval at which stores and reports are read, in milliseconds. */
const readInterval = 200;

/** Options of `verify`. */
export interface VerifyOptions {
  /** The password of RabbitMQ from the environment, if any. */
  readonly brokerPassword?: string | undefined;
  /** The user behind sudo, if the person used that. */
  readonly sudoUser?: string | undefined;
  readonly signal: AbortSignal;
  /** Takes each answer as a line when it arrives. */
  say(line: string): void;
}

/**
 * Has every transcriber read the directory again, every host compare its rows, and every daemon be compared with them.
 * True if all were equal.
 */
export async function verify(project: Project, options: VerifyOptions): Promise<boolean> {
  const { services } = await loadServices(project, servicesOf(project.config));
  const tables = [...services].flatMap(([name, service]) => ("table" in service ? [name] : []));
  const asked = systemClock.now();
  const places = [eventService, ...tables].map((service) => ({ service, hosts: hostsOf(project.config, service) }));
  const reached = reachedOf(places, await askFor(project, places, options), options.say);
  const questions = [
    ...directories(project, asked),
    ...ofReports(project, { tables, asked, what: "the rows", answer: rows }),
    ...ofReports(project, { tables, asked, what: "the daemon", answer: daemon }),
  ].filter(({ service, host }) => reached.has(placeOf(service, host)));
  const equal = await answers(questions, project, options);
  return equal && reached.size === places.reduce((all, { hosts }) => all + hosts.length, 0);
}

/** A service with the hosts that are asked about it. */
interface Place {
  readonly service: string;
  readonly hosts: readonly string[];
}

const placeOf = (service: string, host: string): string => `${service} ${host}`;

/** Gives the order to verify, for each service: to the transcribers as the service `event`, and to the hosts of tables. */
async function askFor(
  project: Project,
  places: readonly Place[],
  { brokerPassword, sudoUser, signal }: VerifyOptions,
): Promise<HostAnswer[][]> {
  const connect = sharedBroker(() => connectBroker(project, { password: brokerPassword }));
  const give = ({ service, hosts }: Place): Promise<HostAnswer[]> =>
    giveOrder(project, { asked: { service, order: "verify" }, hosts, sudoUser, connect, signal });
  return Promise.all(places.map(give));
}

/** The places that take the question. The others are printed, with the reason. */
function reachedOf(places: readonly Place[], given: readonly HostAnswer[][], say: (line: string) => void): Set<string> {
  const all = given.flat();
  const [first] = all;
  if (first && "none" in first && all.every((answer) => "none" in answer && answer.none === "unreached"))
    throw new UserError(first.why);
  const reached = new Set<string>();
  for (const [index, { service }] of places.entries()) {
    for (const answer of given[index] ?? []) {
      // A host whose answer is not heard here may still send its result in a report.
      const taken = "outcome" in answer ? answer.outcome.done : answer.none === "unheard";
      if (taken) reached.add(placeOf(service, answer.host));
      else say(`${answer.host} ${service}: ${"outcome" in answer ? answer.outcome.text : answer.why}`);
    }
  }
  return reached;
}

/** A question: its name, and its answer once there is one. */
interface Question {
  readonly of: string;
  readonly service: string;
  readonly host: string;
  answer(hosts: ReadonlyMap<string, HostStatus>): Answer | undefined;
}

interface Answer {
  readonly equal: boolean;
  readonly says: string;
}

/** The questions to the transcribers, about the comparison of each mirror with the directory. */
function directories({ config }: Project, asked: number): Question[] {
  return transcribersOf(config).map((host) => ({
    of: `${host}: the directory`,
    service: eventService,
    host,
    answer(hosts) {
      const { here = false, transcriber, transcriberReport } = hosts.get(host) ?? {};
      if (!here && !transcriberReport) return { equal: true, says: "no report here: see its log" };
      const { verified } = transcriber ?? transcriberReport ?? {};
      if (!verified || verified.asked < asked) return undefined;
      const equal = transcriber ? `, ${transcriber.entries} entries` : "";
      return verified.differed === 0
        ? { equal: true, says: `equal${equal}` }
        : { equal: false, says: `${verified.differed} entries differed from the mirror; repaired: equal now${equal}` };
    },
  }));
}

/** The questions to each table of each host. The next report of the host has the answer. */
function ofReports(
  project: Project,
  { tables, asked, what, answer }: Asked & { readonly what: string; readonly answer: ReportAnswer },
): Question[] {
  return tables.flatMap((service) =>
    hostsOf(project.config, service).map((host) => ({
      of: `${host} ${service}: ${what}`,
      service,
      host,
      answer(hosts) {
        const report = hosts.get(host)?.services[service];
        if (!report?.verified || report.verified.asked < asked) return undefined;
        return answer(report, report.verified, { host, service });
      },
    })),
  );
}

interface Asked {
  readonly tables: readonly string[];
  /** The time of the order, in milliseconds since 1970. */
  readonly asked: number;
}

type ReportAnswer = (
  report: ServiceReport,
  verified: NonNullable<ServiceReport["verified"]>,
  of: { readonly host: string; readonly service: string },
) => Answer | undefined;

/** The answer for the rows, against the transcriber's. */
const rows: ReportAnswer = (report, { differed }) =>
  report.doubt || !report.equal
    ? undefined
    : { equal: !differed, says: `${differed ? "differed; repaired: " : ""}${sayEqual(report)}` };

function sayEqual({ equal, rows, pending, refusedCount }: ServiceReport): string {
  const place = equal ? ` as of epoch ${equal.epoch}, change ${equal.seq}` : "";
  return `equal${place}; ${rows} rows applied, ${pending} pending, ${refusedCount} refused`;
}

/** The answer for the daemon, against its rows, once these were compared with the transcriber's. */
const daemon: ReportAnswer = (_, { daemon }, { host, service }) => {
  // A host of an older version, or in another language.
  if (!daemon) return { equal: true, says: `not compared: its host cannot; run \`trigger diff ${service}\` there` };
  if (daemon.state === "comparing") return undefined;
  return { equal: daemon.state === "same" || daemon.state === "unknown", says: sayCompared(host, service, daemon) };
};

function sayCompared(host: string, service: string, { state, why, foreign = 0, ...found }: DaemonCompared): string {
  if (state === "unknown") return `not known, ${why}`;
  if (state !== "differs" && state !== "same") return `could not be compared: ${why}`;
  const { missing, differs, extra, waiting, files } = found;
  const counts = { missing, "with other content": differs, extra, pending: waiting, "in files": files, foreign };
  const named = Object.entries(counts).flatMap(([what, count = 0]) => (count > 0 ? [`${count} ${what}`] : []));
  const list = named.length > 0 ? ` (${named.join(", ")})` : "";
  if (state === "same") return `the same${list}`;
  return `differs${list}: \`trigger diff ${service}\` on ${host} shows the differences`;
}

/** Prints each answer when it arrives; true if all were equal. */
async function answers(
  questions: readonly Question[],
  project: Project,
  { say, signal }: VerifyOptions,
): Promise<boolean> {
  const { now, monotonic, sleep } = systemClock;
  let open = questions;
  let equal = true;
  let end = monotonic() + answerTimeout;
  while (open.length > 0 && monotonic() < end && !signal.aborted) {
    const statuses = await networkStatus(project, now(), signal);
    const hosts = new Map(statuses.map((status) => [status.host, status]));
    open = open.filter(({ of, answer }) => {
      const given = answer(hosts);
      if (!given) return true;
      say(`${of}: ${given.says}`);
      end = monotonic() + answerTimeout; // hosts compare one daemon after the other
      equal &&= given.equal;
      return false;
    });
    if (open.length > 0) await sleep(readInterval, signal);
  }
  for (const { of } of open) say(`${of}: no answer for ${answerTimeout / 1000} s`);
  return equal && open.length === 0;
}
