import { setTimeout as sleep } from "node:timers/promises";
import { eventQueuesOf, hostsOf, servicesOf, transcribersOf } from "../core/config/config.ts";
import { type OrderMessage, protocolVersion } from "../core/stream/messages.ts";
import type { DaemonCompared, ServiceReport } from "../core/stream/report.ts";
import { eventService, queueOf, serviceKey } from "../core/stream/routing.ts";
import { connectBroker } from "../daemon/broker.ts";
import type { HostStatus } from "../health/host-status.ts";
import { networkStatus } from "../operations/network-status.ts";
import { loadServices, openProject, type Project } from "../project/project.ts";
import { type Command, projectOption } from "./command.ts";
import type { Screen } from "./screen.ts";

/** How long is waited for the next answer, in milliseconds: a daemon may take a minute. How often the stores are looked at, and how often is asked again. */
const patience = 75_000;
const pace = 200;
const insistence = 15_000;

/** Compares now, from the directory down to the daemons. */
export const verify: Command = {
  name: "verify",
  summary:
    "compare now: the mirror with the directory, every host's rows with the transcriber's, and its daemons with the rows",
  operands: [],
  options: projectOption,
  more: `Each transcriber reads the directory whole again. Every host makes its digest from its rows again, and compares it with the transcriber's. Then it
asks its daemons what they have, as \`trigger diff\` does, one after the other and a minute at most for each. No run waits for that.
An entry that changes in that very moment counts as one that differed. What differs between directory, transcriber and host is repaired as it is found. What a daemon has otherwise is shown by \`trigger diff SERVICE\` on its host and mended by
\`trigger regen SERVICE\`. Tables are compared each minute without this; daemons are not.

Exit codes
  0  all is equal, as far as it can be compared
  1  something differed, also where it is repaired by now, could not be asked, or has not answered`,
  async run({ text }, screen) {
    const project = await openProject(text("project") ?? screen.folder);
    const { services } = await loadServices(project, servicesOf(project.config));
    const tables = [...services].flatMap(([name, service]) => ("table" in service ? [name] : []));
    const asked = Date.now();
    const ask = (services: readonly string[]): Promise<void> => askFor(project, services, asked, screen);
    await ask([eventService, ...tables]);
    const open = [
      ...directories(project, asked),
      ...ofReports(project, { tables, asked, what: "the rows", answer: rows }),
      ...ofReports(project, { tables, asked, what: "the daemon", answer: daemon }),
    ];
    return (await answers(open, ask, project, screen)) ? 0 : 1;
  },
};

/** Tells the transcribers (of the service `event`) and the hosts of these tables. */
async function askFor(project: Project, services: readonly string[], at: number, screen: Screen): Promise<void> {
  const { config } = project;
  const tables = services.filter((service) => service !== eventService);
  const queues = tables.flatMap((service) => hostsOf(config, service).map((host) => queueOf(host, service, "table")));
  await using broker = await connectBroker(project, { password: screen.brokerPassword });
  await broker.declare([...eventQueuesOf(config), ...queues]);
  for (const service of services) {
    const order: OrderMessage = { trigger: protocolVersion, kind: "order", service, order: "verify", at };
    await broker.publish(serviceKey(service), JSON.stringify(order));
  }
}

/** What is waited for: its name, and its answer once there is one. */
interface Question {
  readonly of: string;
  readonly service: string;
  answer(hosts: ReadonlyMap<string, HostStatus>): Answer | undefined;
}

interface Answer {
  readonly equal: boolean;
  readonly says: string;
}

/** Each transcriber: how its mirror compared with the directory. */
function directories({ config }: Project, asked: number): Question[] {
  return transcribersOf(config).map((host) => ({
    of: `${host}: the directory`,
    service: eventService,
    answer(hosts) {
      const { here = false, transcriber, said } = hosts.get(host) ?? {};
      if (!here && !said) return { equal: true, says: "not said here; the log there has it" };
      const { verified } = transcriber ?? said ?? {};
      if (!verified || verified.asked < asked) return undefined;
      const equal = transcriber ? `, ${transcriber.entries} entries` : "";
      return verified.differed === 0
        ? { equal: true, says: `equal${equal}` }
        : { equal: false, says: `${verified.differed} entries differed from the mirror; repaired: equal now${equal}` };
    },
  }));
}

/** A question to each table of each host, of which the report since then has the answer. */
function ofReports(
  project: Project,
  { tables, asked, what, answer }: Asked & { readonly what: string; readonly answer: ReportAnswer },
): Question[] {
  return tables.flatMap((service) =>
    hostsOf(project.config, service).map((host) => ({
      of: `${host} ${service}: ${what}`,
      service,
      answer(hosts) {
        const report = hosts.get(host)?.services[service];
        if (!report?.verified || report.verified.asked < asked) return undefined;
        return answer(report, report.verified, { host, service });
      },
    })),
  );
}

/** Which tables were asked, and when, in milliseconds since 1970. */
interface Asked {
  readonly tables: readonly string[];
  readonly asked: number;
}

type ReportAnswer = (
  report: ServiceReport,
  verified: NonNullable<ServiceReport["verified"]>,
  of: { readonly host: string; readonly service: string },
) => Answer | undefined;

/** How its rows compared with the transcriber's. */
const rows: ReportAnswer = (report, { differed }) =>
  report.doubt || !report.equal
    ? undefined
    : { equal: !differed, says: `${differed ? "differed; repaired: " : ""}${sayEqual(report)}` };

function sayEqual({ equal, rows, owed, refusedCount }: ServiceReport): string {
  const place = equal ? ` as of epoch ${equal.epoch}, change ${equal.seq}` : "";
  return `equal${place}; ${rows} rows in force, ${owed} owed, ${refusedCount} refused`;
}

/** How its daemon compared with its rows, once these did with the transcriber's. */
const daemon: ReportAnswer = (_, { daemon }, { host, service }) => {
  // A host of an older version, or in another language.
  if (!daemon)
    return { equal: true, says: `not compared: its host does not do that; \`trigger diff ${service}\` there` };
  if (daemon.state === "comparing") return undefined;
  return { equal: daemon.state === "same" || daemon.state === "unknown", says: sayCompared(host, service, daemon) };
};

function sayCompared(host: string, service: string, { state, why, foreign = 0, ...found }: DaemonCompared): string {
  if (state === "unknown") return `not known, ${why}`;
  if (state !== "differs" && state !== "same") return `could not be compared: ${why}`;
  const { missing, differs, extra, waits, files } = found;
  const counts = { missing, "with other content": differs, extra, waiting: waits, "in files": files, foreign };
  const named = Object.entries(counts).flatMap(([what, count = 0]) => (count > 0 ? [`${count} ${what}`] : []));
  const list = named.length > 0 ? ` (${named.join(", ")})` : "";
  if (state === "same") return `the same${list}`;
  return `differs${list}: \`trigger diff ${service}\` on ${host} shows how`;
}

/** Prints each answer when it is there; gives whether all were equal. What is not answered is asked again: its queue may have been purged. */
async function answers(
  questions: readonly Question[],
  ask: (services: readonly string[]) => Promise<void>,
  project: Project,
  { say, signal }: Screen,
): Promise<boolean> {
  let open = questions;
  let equal = true;
  let end = performance.now() + patience;
  let again = performance.now() + insistence;
  while (open.length > 0 && performance.now() < end && !signal.aborted) {
    const statuses = await networkStatus(project, Date.now(), signal);
    const hosts = new Map(statuses.map((status) => [status.host, status]));
    open = open.filter(({ of, answer }) => {
      const given = answer(hosts);
      if (!given) return true;
      say(`${of}: ${given.says}`);
      end = performance.now() + patience; // hosts compare one daemon after the other
      equal &&= given.equal;
      return false;
    });
    if (open.length > 0 && performance.now() > again) {
      // A broker that is gone meanwhile says so by answers that do not come.
      await ask([...new Set(open.map(({ service }) => service))]).catch(() => {});
      again = performance.now() + insistence;
    }
    if (open.length > 0) await sleep(pace, undefined, { signal }).catch(() => {}); // stopped: the loop ends
  }
  for (const { of } of open) say(`${of}: no answer for ${patience / 1000} s`);
  return equal && open.length === 0;
}
