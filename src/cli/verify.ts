import { setTimeout as sleep } from "node:timers/promises";
import { isSame } from "../core/compare.ts";
import { eventQueuesOf, hostsOf, servicesOf, transcribersOf } from "../core/config.ts";
import { reason } from "../core/outcome.ts";
import type { ServiceReport } from "../core/report.ts";
import { eventService, queueOf, serviceKey } from "../core/routing.ts";
import type { Table } from "../core/service.ts";
import { type OrderMessage, protocolVersion } from "../core/stream.ts";
import { connectBroker } from "../daemon/broker.ts";
import { serviceDifference } from "../daemon/diff.ts";
import { type HostStatus, networkStatus } from "../daemon/status.ts";
import { hostsHere } from "../daemon/store-file.ts";
import { loadServices, openProject, type Project } from "../project/project.ts";
import { type Command, projectOption, type Terminal } from "./command.ts";

/** How long is waited for answers, in milliseconds, and how often the stores are looked at. */
const patience = 60_000;
const pace = 200;

/** Compares now, from the directory down to the daemons. */
export const verify: Command = {
  name: "verify",
  summary:
    "compare now: the mirror with the directory, every host's rows with the transcriber's, and here the daemons with the rows",
  operands: [],
  options: projectOption,
  more: `The transcriber reads the directory whole again. Every host makes its digest from its rows again, and compares it with the transcriber's. Where both
are equal, the hosts on this machine ask their daemons what they have, as \`trigger diff\` does; on others run it there.
An entry that changes in that very moment counts as one that differed. What differs between directory, transcriber and host is repaired as it is found. What a daemon has otherwise is shown by \`trigger diff SERVICE\` and mended by
\`trigger regen SERVICE\`. Tables are compared each minute without this.

Exit codes
  0  all is equal
  1  something differed, also where it is repaired by now, or has not answered within a minute`,
  async run({ text }, terminal) {
    const project = await openProject(text("project") ?? terminal.folder);
    const { services } = await loadServices(project, servicesOf(project.config));
    const tables = new Map(
      [...services].flatMap(([name, service]) => ("table" in service ? [[name, service.table]] : [])),
    );
    const asked = Date.now();
    await askAll(project, [...tables.keys()], asked, terminal);
    const open = [...directories(project, asked), ...rows(project, tables, asked)];
    const rowsEqual = await answers(open, project, terminal);
    const daemonsSame = await daemons(project, tables, terminal);
    return rowsEqual && daemonsSame ? 0 : 1;
  },
};

/** Tells the transcribers and the hosts of every table. */
async function askAll(project: Project, tables: string[], at: number, terminal: Terminal): Promise<void> {
  const { config } = project;
  const queues = tables.flatMap((service) => hostsOf(config, service).map((host) => queueOf(host, service, "table")));
  await using broker = await connectBroker(project, { password: terminal.brokerPassword });
  await broker.declare([...eventQueuesOf(config), ...queues]);
  for (const service of [eventService, ...tables]) {
    const order: OrderMessage = { trigger: protocolVersion, kind: "order", service, order: "verify", at };
    await broker.publish(serviceKey(service), JSON.stringify(order));
  }
}

/** What is waited for: its name, and its answer once there is one. */
interface Question {
  readonly of: string;
  answer(hosts: ReadonlyMap<string, HostStatus>): { readonly equal: boolean; readonly says: string } | undefined;
}

/** Each transcriber of this machine: how its mirror compared with the directory. One elsewhere says it in its own log. */
function directories({ config, state }: Project, asked: number): Question[] {
  return hostsHere(state, transcribersOf(config)).map((host) => ({
    of: `${host}: the directory`,
    answer(hosts) {
      const transcriber = hosts.get(host)?.transcriber;
      if (!transcriber?.verified || transcriber.verified.asked < asked) return undefined;
      const { differed } = transcriber.verified;
      const equal = `${transcriber.entries} entries`;
      return differed === 0
        ? { equal: true, says: `equal, ${equal}` }
        : { equal: false, says: `${differed} entries differed from the mirror; repaired: equal now, ${equal}` };
    },
  }));
}

/** Each table of each host: how its rows compared with the transcriber's. */
function rows({ config }: Project, tables: ReadonlyMap<string, Table>, asked: number): Question[] {
  return [...tables.keys()].flatMap((service) =>
    hostsOf(config, service).map((host) => ({
      of: `${host} ${service}: the rows`,
      answer(hosts) {
        const report = hosts.get(host)?.services[service];
        if (!report?.verified || report.verified.asked < asked || report.doubt || !report.equal) return undefined;
        const { differed } = report.verified;
        return { equal: !differed, says: `${differed ? "differed; repaired: " : ""}${sayEqual(report)}` };
      },
    })),
  );
}

function sayEqual({ equal, rows, owed, refusedCount }: ServiceReport): string {
  const place = equal ? ` as of epoch ${equal.epoch}, change ${equal.seq}` : "";
  return `equal${place}; ${rows} rows in force, ${owed} owed, ${refusedCount} refused`;
}

/** Prints each answer when it is there; gives whether all were equal. */
async function answers(questions: readonly Question[], project: Project, { out, signal }: Terminal): Promise<boolean> {
  let open = questions;
  let equal = true;
  for (const end = performance.now() + patience; open.length > 0 && performance.now() < end && !signal.aborted; ) {
    const statuses = await networkStatus(project, Date.now(), signal);
    const hosts = new Map(statuses.map((status) => [status.host, status]));
    open = open.filter(({ of, answer }) => {
      const given = answer(hosts);
      if (!given) return true;
      out(`${of}: ${given.says}\n`);
      equal &&= given.equal;
      return false;
    });
    if (open.length > 0) await sleep(pace, undefined, { signal }).catch(() => {}); // stopped: the loop ends
  }
  for (const { of } of open) out(`${of}: no answer within ${patience / 1000} s\n`);
  return equal && open.length === 0;
}

/** Compares what the daemons of this machine have with the rows of its hosts; gives whether all is the same. */
async function daemons(project: Project, tables: ReadonlyMap<string, Table>, terminal: Terminal): Promise<boolean> {
  let same = true;
  for (const [service, table] of tables) {
    const all = hostsOf(project.config, service);
    const here = hostsHere(project.state, all);
    for (const host of here) {
      const found = await daemon(project, host, service, table, terminal);
      same &&= found.same;
      terminal.out(`${host} ${service}: the daemon: ${found.says}\n`);
    }
    const elsewhere = all.filter((host) => !here.includes(host));
    if (elsewhere.length > 0) terminal.out(`${service}: the daemons of ${elsewhere.join(", ")} are compared there\n`);
  }
  return same;
}

async function daemon(project: Project, host: string, service: string, table: Table, terminal: Terminal) {
  try {
    // What was just repaired is to be in force first; what waits longer than that is a difference.
    for (let left = 25; left > 0 && !terminal.signal.aborted; left--) {
      const statuses = await networkStatus(project, Date.now(), terminal.signal);
      const report = statuses.find((status) => status.host === host)?.services[service];
      if (report && report.why === undefined) break;
      await sleep(pace, undefined, { signal: terminal.signal }).catch(() => {});
    }
    const log = (line: string): void => terminal.err(`${host}: ${line}\n`);
    const found = await serviceDifference(project, host, service, table, { ...terminal, log });
    if (found.failed !== undefined) return { same: false, says: `could not be compared: ${found.failed}` };
    const { observed, noted, removals, waiting } = found;
    const files = noted.files.length + noted.changes.length;
    if (removals || waiting.length > 0 || files > 0 || (observed && !isSame(observed)))
      return { same: false, says: `differs: \`trigger diff ${service}\` shows how` };
    if (observed || noted.commands.length === 0) return { same: true, says: "the same" };
    return { same: true, says: `not known, it has no \`observe\`: a full run runs ${noted.commands.length} commands` };
  } catch (error) {
    return { same: false, says: `could not be compared: ${reason(error)}` };
  }
}
