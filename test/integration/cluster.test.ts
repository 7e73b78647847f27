import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../src/daemon/clock.ts";
import { type Cluster, nodeNames, startCluster } from "../servers/cluster.ts";
import type { RabbitServer } from "../servers/rabbitmq.ts";
import { gaveUp, joinAgain, together } from "../servers/together.ts";
import { until } from "../until.ts";
import { type Pair, settled, startPair } from "./pair.fixture.ts";

// A cluster of three nodes; each process is connected to another node first. After any failure of a node one
// transcriber is active, and nothing goes back.

/**
 * The longest time of a recovery, in milliseconds. A queue whose nodes stay apart is recreated after half a minute to
 * two.
 */
const patience = 120_000;
/**
 * The time for which one transcriber must stay active, in milliseconds. Separated nodes notice each other's loss within
 * their `net_ticktime` of 5 s and a quarter, and may then give the role away once more.
 */
const calm = 10_000;

test("trigger survives nodes of a cluster that pause, die, partition and lose a disk", {
  timeout: 800_000,
}, async (t) => {
  await using cluster = await startCluster();
  const world = startPair(t, {
    broker: `{ url: JSON.parse(process.env.URLS ?? ${JSON.stringify(urls(cluster))}) }`,
    env: (host) => ({ ...process.env, URLS: urls(cluster, ["civet", "genet", "box"].indexOf(host)) }),
  });
  await settled(world);
  /** The node that a process is connected to, by its last log line about it. */
  const nodeOf = (host: string): RabbitServer => {
    const port = world
      .process(host)
      .said()
      .match(/.*connected to amqp:\/\/trigger@127\.0\.0\.1:(\d+)/s)?.[1];
    return cluster.nodes.find((node) => node.port === Number(port)) ?? assert.fail(`${host} is at no node`);
  };

  await phase("its node pauses until another transcriber is active", async (node, another) => {
    node.pause();
    world.edit.add();
    await another();
    node.resume();
    world.edit.add();
  });
  await phase("its node pauses for 20 seconds", async (node, another) => {
    const wakes = systemClock.monotonic() + 20_000;
    node.pause();
    world.edit.add();
    await another();
    await until(() => systemClock.monotonic() > wakes, { within: patience });
    node.resume();
    world.edit.add();
  });
  await phase("its node is killed and restarted", async (node, another) => {
    await node.kill9();
    world.edit.add();
    await another();
    world.edit.add();
    await node.restart();
  });
  await phase("its node is partitioned from the others, and clients reach all of them", async (node, another) => {
    const name = nodeNames[cluster.nodes.indexOf(node)] ?? "";
    const others = nodeNames.filter((other) => other !== name);
    const cables = others.flatMap((other) => cluster.cables(name, other));
    for (const cable of cables) cable.pause();
    world.edit.add();
    for (const other of others) await until(() => gaveUp(cluster.node(other), name), { within: patience });
    await another();
    for (const cable of cables) cable.resume();
    world.edit.add();
    await together(cluster);
  });
  await phase("its node loses its disk, and joins again as a new node", async (node, another) => {
    await node.loseDisk();
    world.edit.add();
    await another();
    world.edit.add();
    await joinAgain(cluster, nodeNames[cluster.nodes.indexOf(node)] ?? "");
  });

  /** Does something to the node of the active transcriber; then all must become well and stay so. */
  async function phase(
    name: string,
    act: (node: RabbitServer, another: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await t.test(name, async (t) => {
      try {
        const [active = ""] = await world.active();
        await act(nodeOf(active), takeover(t, world, await world.epochOf(active)));
        await steady(t, world);
      } catch (error) {
        cluster.nodes.forEach((node) => void node.resume());
        const folder = mkdtempSync(join(tmpdir(), "trigger-cluster-"));
        cluster.keepLogs(folder);
        writeFileSync(join(folder, "said"), world.said());
        throw new Error(`what the processes and the nodes said is in ${folder}`, { cause: error });
      }
    });
  }
});

/** The addresses of all nodes, as JSON, beginning with the node of an index. */
const urls = ({ nodes }: Cluster, first = 0): string =>
  JSON.stringify([...nodes.slice(first), ...nodes.slice(0, first)].map(({ url }) => url));

/** Waits until one transcriber is active in a higher epoch and the edits made meanwhile are served. */
function takeover(t: TestContext, world: Pair, epoch: number): () => Promise<void> {
  const since = performance.now();
  const taken = async (): Promise<boolean> => {
    const active = await world.active();
    return active.length === 1 && (await world.epochOf(active[0] ?? "")) > epoch;
  };
  return async () => {
    await until(taken, { within: patience });
    const takenOver = Math.round(performance.now() - since);
    await until(world.edit.isServed, { within: patience });
    const served = Math.round(performance.now() - since);
    t.diagnostic(
      `one is active in a higher epoch after ${takenOver} ms, and what was edited is served after ${served} ms`,
    );
  };
}

/**
 * Waits until the same transcriber has been active for a while: by then the nodes are one cluster again. The edits must
 * be served, and nothing may have gone back.
 */
async function steady(t: TestContext, world: Pair): Promise<void> {
  const start = performance.now();
  let since = start;
  let last: string | undefined;
  const same = async (): Promise<boolean> => {
    const active = await world.active();
    const now = active.length === 1 ? `${active} ${await world.epochOf(active[0] ?? "")}` : undefined;
    if (now === undefined || now !== last) since = performance.now();
    last = now;
    return performance.now() - since > calm;
  };
  await until(same, { within: patience });
  t.diagnostic(`it stays so ${Math.round(since - start)} ms after the node came back`);
  const [active = ""] = await world.active();
  world.edit.add();
  await world.equalWith(active);
  assert.match((await world.project.trigger(["status"])).out, new RegExp(`^${active} .* active$`, "m"));
}
