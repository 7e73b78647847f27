import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.ts";
import { type Cluster, nodeNames } from "./cluster.ts";
import type { RabbitServer } from "./rabbitmq.ts";

/**
 * The questions of an administrator to the nodes of a cluster, and the repair of one that has lost its disk
 * (docs/outage.md).
 */

/**
 * The longest time for the nodes to find each other, in milliseconds: on a busy machine each question takes seconds.
 */
const patience = 180_000;

const rabbitName = (name: string): string => `${name}@localhost`;

/**
 * The longest time for the nodes to find each other by themselves, in milliseconds. A node that paused itself in a
 * partial partition may wait for the tables of the others for five minutes: ten times 30 s, `mnesia_table_loading_*`.
 */
const byThemselves = 90_000;

/** Waits until every node says that all of them run; one that stays apart is restarted (docs/outage.md). */
export async function together(cluster: Cluster): Promise<void> {
  const all = async (): Promise<boolean> => (await views(cluster)).every((seen) => seen.length === nodeNames.length);
  for (let restarts = 0; restarts < nodeNames.length; restarts++) {
    const end = performance.now() + byThemselves;
    await until(async () => (await all()) || performance.now() > end, { within: patience });
    const seen = await views(cluster);
    if (seen.every(({ length }) => length === nodeNames.length)) return;
    const fewest = Math.min(...seen.map(({ length }) => length));
    await cluster.nodes[seen.findIndex(({ length }) => length === fewest)]?.restart();
  }
  await until(all, { within: patience });
}

/** The running nodes as each node sees them, in the order of the nodes. */
const views = ({ nodes }: Cluster): Promise<string[][]> => Promise.all(nodes.map(runningNodes));

/** The running nodes, by the answer of one of them; none if it does not answer. */
async function runningNodes(node: RabbitServer): Promise<string[]> {
  const said = await node.ctl("-q", "--formatter", "json", "cluster_status").catch(() => "{}");
  return (JSON.parse(said) as { running_nodes?: string[] }).running_nodes ?? [];
}

/** True if a node can ask another one now. */
export async function reaches(node: RabbitServer, other: string): Promise<boolean> {
  const answer = await node.ctl("-q", "eval", `rpc:call('${rabbitName(other)}', erlang, node, [], 1000).`);
  return !answer.startsWith("{badrpc,");
}

/** True if a node considers another one dead. */
export async function gaveUp(node: RabbitServer, other: string): Promise<boolean> {
  const answer = await node.ctl("-q", "eval", `lists:member('${rabbitName(other)}', nodes()).`);
  return answer.trim() === "false";
}

/**
 * Brings back a node whose disk was lost: at first as a new installation, alone and without a user of ours, then as a
 * member.
 */
export async function joinAgain(cluster: Cluster, name: string): Promise<void> {
  const node = cluster.node(name);
  const otherName = nodeNames.find((one) => one !== name) ?? "";
  const other = cluster.node(otherName);
  const config = join(node.folder, "rabbitmq.conf");
  writeFileSync(config, readFileSync(config, "utf8").replace(/^(cluster_formation|default_).*\n/gm, ""));
  await other.ctl("forget_cluster_node", rabbitName(name));
  await membership(other, name, { is: false, by: `shrink ${rabbitName(name)}` });
  await node.restart();
  await until(async () => (await runningNodes(node)).join() === rabbitName(name), { within: patience });
  await node.ctl("stop_app");
  await node.ctl("join_cluster", rabbitName(otherName));
  await node.ctl("start_app");
  await together(cluster);
  await membership(node, name, { is: true, by: `grow ${rabbitName(name)} all` });
}

/**
 * Has a node added to every quorum queue, or removed, by a command that is repeated until it holds: a queue may lack a
 * leader for a moment.
 */
async function membership(
  node: RabbitServer,
  name: string,
  { is, by }: { readonly is: boolean; readonly by: string },
): Promise<void> {
  const done = async (): Promise<boolean> => {
    const list = ["-q", "-t", "20", "--formatter", "json", "list_queues", "type", "members"];
    const queues = JSON.parse(await node.ctl(...list)) as { type: string; members: string[] }[];
    const quorum = queues.filter(({ type }) => type === "quorum");
    return quorum.every(({ members }) => members.includes(rabbitName(name)) === is);
  };
  const made = async (): Promise<boolean> => {
    if (await done().catch(() => false)) return true;
    await node.shell(`rabbitmq-queues ${by}`, node.folder).catch(() => {}); // looked at below
    return done().catch(() => false);
  };
  await until(made, { within: patience });
}
