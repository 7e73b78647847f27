import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { type TcpProxy, tcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/until.ts";
import { systemClock } from "../../daemon/clock.ts";
import { rabbitBroker } from "./broker.ts";
import { lease } from "./candidate.ts";

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

interface TestCandidate {
  readonly proxy: TcpProxy;
  readonly active: boolean;
}

/** A candidate behind a cable of its own. */
async function candidateOf(t: TestContext, election: string, heartbeat: number): Promise<TestCandidate> {
  const proxy = await tcpProxy(server.port);
  const url = server.url.replace(`:${server.port}`, `:${proxy.port}`);
  const broker = await rabbitBroker({ url, heartbeat, log: () => {}, clock: systemClock });
  let active = false;
  await broker.campaign(election, (now) => {
    active = now;
  });
  t.after(async () => {
    await broker.close();
    await proxy[Symbol.asyncDispose]();
  });
  return {
    proxy,
    get active() {
      return active;
    },
  };
}

test("when the connection of the active candidate breaks, another one takes over within seconds", async (t) => {
  const first = await candidateOf(t, "broken", 5);
  await until(() => first.active);
  const second = await candidateOf(t, "broken", 5);
  const start = performance.now();
  first.proxy.cut();
  await until(() => second.active, { within: 15_000 });
  t.diagnostic(`taken over ${Math.round(performance.now() - start)} ms after the reset`);
  await until(() => !first.active);
});

for (const heartbeat of [1, 3]) {
  test(`when the active candidate falls silent, another one takes over; heartbeat ${heartbeat} s`, async (t) => {
    const first = await candidateOf(t, `silent-${heartbeat}`, heartbeat);
    await until(() => first.active);
    const second = await candidateOf(t, `silent-${heartbeat}`, heartbeat);
    const start = performance.now();
    first.proxy.pause();
    await until(() => !first.active, { within: 8_000 });
    const stopped = performance.now() - start;
    await until(() => second.active, { within: 30_000 });
    t.diagnostic(
      `heartbeat ${heartbeat} s: silent at 0, active no more at ${Math.round(stopped)} ms, taken over at ${Math.round(performance.now() - start)} ms`,
    );
    first.proxy.resume();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.deepEqual([first.active, second.active], [false, true]);
  });
}

test("a flood into the queue of the ticks ends no election", async (t) => {
  const broker = await rabbitBroker({ url: server.url, log: () => {}, clock: systemClock });
  t.after(() => broker.close());
  const changes: boolean[] = [];
  await broker.campaign("flooded", (active) => void changes.push(active));
  await until(() => changes.length > 0);
  const model = await connect(server.url);
  t.after(() => model.close());
  const channel = await model.createConfirmChannel();
  // RabbitMQ 3 delivers a copy for CC. The copy shows another key than those of the queue.
  await channel.bindQueue("trigger.ticks.flooded", "trigger", "trigger.report");
  let before: Promise<unknown> = Promise.resolve();
  for (const end = performance.now() + 2 * lease; performance.now() < end; ) {
    for (let sent = 0; sent < 500; sent++) channel.publish("trigger", "trigger.report", Buffer.from("{}"));
    const now = channel.waitForConfirms();
    await before; // so that there is no gap between two lots
    before = now;
  }
  await before;
  assert.deepEqual(changes, [true]);
});
