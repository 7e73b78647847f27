import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./port.ts";
import { epmdArguments, type RabbitServer, startRabbit } from "./rabbitmq.ts";

/** Three RabbitMQ nodes that are one cluster, private to the test. */
export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly RabbitServer[];
  /** Copies the logs of the nodes into a folder. */
  keepLogs(folder: string): void;
}

const names = ["one", "two", "three"];

/** What an administrator is told to set, with short times: a node that stands still is noticed after `netTick` seconds and a quarter at most. */
const settings = (netTick: number): string[] => [
  "cluster_formation.peer_discovery_backend = classic_config",
  ...names.map((name, at) => `cluster_formation.classic_config.nodes.${at + 1} = ${name}@localhost`),
  "cluster_formation.discovery_retry_limit = 1", // the first one finds nobody, and the others wait for it by a lock
  "cluster_partition_handling = pause_minority",
  `net_ticktime = ${netTick}`,
];

/** Starts a cluster of three; it takes half a minute. */
export async function startCluster({ netTick = 5 } = {}): Promise<Cluster> {
  const epmdPort = await freePort();
  // It ends with its input: whatever becomes of this process, it does not stay.
  const script = 'epmd "$@" & trap "kill $!" EXIT; cat >/dev/null';
  const epmd = spawn("sh", ["-c", script, "epmd", ...epmdArguments(epmdPort)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // a Ctrl-C is for this process alone
  });
  const member = { cookie: `cookie${process.pid}${epmdPort}`, epmdPort, lines: settings(netTick) };
  const started = await Promise.allSettled(names.map((name) => startRabbit({ member: { ...member, name } })));
  const nodes = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const end = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    epmd.stdin?.end();
  };
  for (const one of started) {
    if (one.status === "fulfilled") continue;
    await end();
    throw one.reason;
  }
  return {
    nodes,
    keepLogs(folder) {
      for (const [at, node] of nodes.entries()) {
        cpSync(join(node.folder, "log", "rabbit.log"), join(folder, `${names[at]}.log`));
      }
    },
    [Symbol.asyncDispose]: end,
  };
}
