import { setTimeout as sleep } from "node:timers/promises";
import { eventQueuesOf, hostsOf, servicesOf } from "../core/config.ts";
import { eventService, queueOf, serviceKey } from "../core/routing.ts";
import { type OrderMessage, protocolVersion } from "../core/stream.ts";
import { connectBroker } from "../daemon/broker.ts";
import { networkStatus } from "../daemon/status.ts";
import { loadServices, openProject, type Project } from "../project/project.ts";
import { type Command, projectOption, type Terminal } from "./command.ts";

/** How long the hosts are waited for, in milliseconds, and how often their stores are looked at. */
const patience = 60_000;
const pace = 200;

/** Compares the mirror with the directory, and every host's tables with the mirror's, now. */
export const verify: Command = {
  name: "verify",
  summary: "compare now: the transcriber with the directory, and every host's tables with the transcriber's",
  operands: [],
  options: projectOption,
  more: `It happens by itself at every digest (each minute); this does it now, has every digest made from the rows again, and waits for the answers.
What differs is repaired.

Exit codes
  0  every table is equal
  1  some host has not answered within a minute`,
  async run({ text }, terminal) {
    const project = await openProject(text("project") ?? terminal.folder);
    const since = Date.now();
    const tables = await askAll(project, terminal);
    return waitForAll(project, tables, since, terminal);
  },
};

type Hosted = readonly [host: string, service: string];

/** Tells the transcribers and the hosts of every table, and gives who is to answer. */
async function askAll(project: Project, terminal: Terminal): Promise<Hosted[]> {
  const { config } = project;
  const { services } = await loadServices(project, servicesOf(config));
  const tables = [...services].flatMap(([name, service]) => ("table" in service ? [name] : []));
  const hosted = tables.flatMap((service) => hostsOf(config, service).map((host): Hosted => [host, service]));
  await using broker = await connectBroker(project, { password: terminal.brokerPassword });
  await broker.declare([...eventQueuesOf(config), ...hosted.map(([host, service]) => queueOf(host, service, "table"))]);
  for (const service of [eventService, ...tables]) {
    const order: OrderMessage = { trigger: protocolVersion, kind: "order", service, order: "verify" };
    await broker.publish(serviceKey(service), JSON.stringify(order));
  }
  return hosted;
}

async function waitForAll(
  project: Project,
  tables: Hosted[],
  since: number,
  { out, signal }: Terminal,
): Promise<number> {
  let open = tables;
  for (const end = performance.now() + patience; open.length > 0 && performance.now() < end && !signal.aborted; ) {
    const statuses = await networkStatus(project, Date.now(), signal);
    const hosts = new Map(statuses.map((status) => [status.host, status]));
    open = open.filter(([host, service]) => {
      const report = hosts.get(host)?.services[service];
      if (!report?.equal || report.doubt || report.equal.asOf.clock < since) return true;
      out(
        `${host} ${service}: equal, ${report.rows} rows in force, ${report.owed} owed, ${report.refusedCount} refused\n`,
      );
      return false;
    });
    if (open.length > 0) await sleep(pace, undefined, { signal }).catch(() => {}); // stopped: the loop ends
  }
  for (const [host, service] of open) out(`${host} ${service}: no answer within ${patience / 1000} s\n`);
  return open.length > 0 ? 1 : 0;
}
