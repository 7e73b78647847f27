import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, type TestContext, test } from "node:test";
import { type Cluster, startCluster } from "../servers/cluster.ts";
import { until } from "../until.ts";
import { other, type Pair, patience, settled, startPair } from "./pair.fixture.ts";

let cluster: Cluster;
before(async () => {
  cluster = await startCluster();
});
after(() => cluster[Symbol.asyncDispose]());
const keep = "/tmp/cluster-logs";

function start(t: TestContext): Pair {
  const nodeOf = { civet: 0, genet: 1, box: 2 };
  const url = (at: number) => cluster.nodes[at]!.url;
  return startPair(t, {
    broker: `{ url: process.env.TEST_URL ?? ${JSON.stringify(url(2))}, heartbeat: 5 }`,
    env: (host) => ({ ...process.env, TEST_URL: url(nodeOf[host as keyof typeof nodeOf]) }),
  });
}
const nodeOf = (host: string) => cluster.nodes[host === "civet" ? 0 : 1]!;
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));

for (const ms of [6000, 6000, 10000, 20000])
test(`pause ${ms}`, async (t) => {
  const p = start(t);
  const t0 = performance.now();
  const log = (s: string) => console.log(Math.round(performance.now() - t0), s);
  try {
    const first = await settled(p);
    const second = other(first);
    log(`active ${first}`);
    p.edit.add();
    await until(p.edit.isServed, { within: patience });
    nodeOf(first).pause();
    const since = performance.now();
    p.edit.add();
    let taken = false;
    await until(async () => (await p.active()).includes(second), { within: patience });
    log(`taken over after ${performance.now() - since}`);
    await until(p.edit.isServed, { within: patience });
    log(`served after ${performance.now() - since}`);
    await sleep(Math.max(0, ms - (performance.now() - since)));
    nodeOf(first).resume();
    log("resumed");
    const end = performance.now() + 40000;
    let last = "";
    while (performance.now() < end) {
      const s = await p.status();
      const box = s.hosts.find((h) => h.host === "box")!;
      const now = JSON.stringify([s.hosts.map((h) => [h.host, h.transcriber?.active, h.transcriber?.epoch]), box.services.names?.stored?.epoch, p.edit.isServed()]);
      if (now !== last) log(now);
      last = now;
      if (Math.random() < 0.02) { p.edit.add(); log("edit"); }
    }
    log("back: " + p.wentBack);
  } finally {
    for (const n of cluster.nodes) n.resume();
    mkdirSync(`${keep}/${t.name}`, { recursive: true });
    cluster.keepLogs(`${keep}/${t.name}`);
    writeFileSync(`${keep}/${t.name}/said`, p.said());
    console.log(p.said());
  }
});
