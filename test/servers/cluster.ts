import { cpSync } from "node:fs";
import { join } from "node:path";
import { type NameServer, nameServer } from "./names.ts";
import { freePort } from "./port.ts";
import { type RabbitServer, startRabbit } from "./rabbitmq.ts";
import { type TcpProxy, tcpProxy } from "./tcp-proxy.ts";

/** Three RabbitMQ nodes that are one cluster, private to the test; a cable of the test between any two of them. */
export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly RabbitServer[];
  /** The node with a name. */
  node(name: string): RabbitServer;
  /** The cables between two nodes: one for each of them that may have dialled. */
  cables(one: string, other: string): readonly TcpProxy[];
  /** Copies the logs of the nodes into a folder. */
  keepLogs(folder: string): void;
}

/** The names of the nodes, before `@localhost`. */
export const nodeNames = ["one", "two", "three"];

/**
 * The settings of an administrator, with short times: a node that stands still is noticed after `netTick` seconds and a
 * quarter at most.
 */
const settings = (netTick: number): string[] => [
  "cluster_formation.peer_discovery_backend = classic_config",
  ...nodeNames.map((name, at) => `cluster_formation.classic_config.nodes.${at + 1} = ${name}@localhost`),
  "cluster_formation.discovery_retry_limit = 1", // the first node finds no other, and the others wait for it by a lock
  "cluster_partition_handling = pause_minority",
  `net_ticktime = ${netTick}`,
];

/** Starts a cluster of three; it takes half a minute. */
export async function startCluster({ netTick = 5 } = {}): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const distPorts = new Map<string, number>();
  for (const name of nodeNames) distPorts.set(name, await freePort());
  const servers = new Map<string, NameServer>();
  const cables = new Map<string, TcpProxy>();
  for (const from of nodeNames) {
    for (const to of nodeNames.filter((name) => name !== from)) {
      cables.set(`${from} ${to}`, stack.use(await tcpProxy(distPorts.get(to) ?? 0)));
    }
    const peer = (name: string): number | undefined => {
      const port = [...servers.values()].map(({ portOf }) => portOf(name)).find((port) => port !== undefined);
      // rabbitmqctl is a node, too, but has no cable: all nodes answer it directly.
      return port === undefined ? undefined : (cables.get(`${from} ${name}`)?.port ?? port);
    };
    servers.set(from, stack.use(await nameServer(peer)));
  }
  const cookie = `cookie${process.pid}${distPorts.get("one")}`;
  const start = (name: string): Promise<RabbitServer> => {
    const [epmdPort, distPort] = [servers.get(name)?.port ?? 0, distPorts.get(name) ?? 0];
    return startRabbit({ member: { name, cookie, epmdPort, distPort, lines: settings(netTick) } });
  };
  // The first node starts alone: from 4.0 on, two that start at the same moment may each form a cluster.
  const [first = "", ...others] = nodeNames;
  const firstStarted = await Promise.allSettled([start(first)]);
  const started = [...firstStarted, ...(await Promise.allSettled(others.map(start)))];
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [stack.use(one.value)] : []));
  for (const one of started) if (one.status === "rejected") throw one.reason;
  const ends = stack.move();
  return {
    nodes,
    node(name) {
      const node = nodes[nodeNames.indexOf(name)];
      if (!node) throw new Error(`the cluster has no node ${name}`);
      return node;
    },
    cables: (one, other) => [`${one} ${other}`, `${other} ${one}`].flatMap((name) => cables.get(name) ?? []),
    keepLogs(folder) {
      for (const [at, node] of nodes.entries()) {
        cpSync(join(node.folder, "log", "rabbit.log"), join(folder, `${nodeNames[at]}.log`));
      }
    },
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}
