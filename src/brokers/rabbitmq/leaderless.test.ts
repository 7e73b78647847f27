import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { until } from "../../../test/until.ts";
import { persist } from "../../core/util/persist.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Broker, Delivery, Limit, Queue } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { rabbitBroker } from "./broker.ts";

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

/** The factor by which all waits are faster. The server's own five seconds stay. */
const speed = 5;
const clock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
};
const patient = { within: 90_000 };
const queueNamed = (name: string, beyond: Limit["beyond"]): Queue => ({
  ...{ name, keys: [name], limit: { messages: 100, bytes: 1e6, beyond } },
});

/** A broker that is closed with the test, and the lines that it logs. */
async function open(t: TestContext, random = 0.5): Promise<{ broker: Broker; said: () => string }> {
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const broker = await rabbitBroker({ url: server.url, log, clock, random: () => random });
  t.after(() => broker.close());
  return { broker, said: () => said.join("\n") };
}

/** The retries of failed work, until the test ends. */
function waitsOf(t: TestContext) {
  const over = new AbortController();
  t.after(() => over.abort());
  return { clock, signal: over.signal, log: () => {} };
}

async function exists(queue: string): Promise<boolean> {
  const connection = await connect(server.url);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    return await channel.checkQueue(queue).then(
      () => true,
      () => false,
    );
  } finally {
    await connection.close();
  }
}

/** Stops the process of a queue. The queue is then listed without a leader, as after a crash that lost its log. */
const silence = (name: string): Promise<string> => server.ctl("eval", `sys:suspend(whereis('%2F_${name}')).`);

const goesThrough = (broker: Broker, key: string) => (): Promise<boolean> =>
  broker.publish(key, "hello").then(
    () => true,
    () => false,
  );

test("after kill -9 at its creation, the queue of an election works again", async (t) => {
  const two = await Promise.all([open(t, 0), open(t, 0.2)]);
  const active = [false, false];
  const waits = waitsOf(t);
  two.forEach(({ broker }, n) => {
    void persist("the election", () => broker.campaign("event", (now) => active.splice(n, 1, now)), waits);
  });
  // The server stores its list of led queues each half second: a younger queue loses the beginning of its log.
  await until(() => exists("trigger.ticks.event"));
  await server.restart();
  const start = performance.now();
  await until(() => active.filter(Boolean).length === 1, patient);
  t.diagnostic(`active ${Math.round(performance.now() - start)} ms after the restart`);
  const said = two.map((one) => one.said()).join("\n");
  // A later server (4.3) has stored the queue by then: it works.
  if (/\(RabbitMQ (3|4\.0)\./.test(said)) {
    assert.match(
      said,
      /queue trigger\.ticks\.event delivers nothing, as after a crash: it is deleted and declared again/,
    );
  }
  assert.doesNotMatch(said, /could not be recreated/);
  await until(() => two.every(({ broker }) => broker.trouble() === undefined), patient);
});

test("a leaderless queue of a table is recreated, a refusing one is logged", async (t) => {
  const { broker, said } = await open(t);
  await broker.declare([queueNamed("table", "drop"), queueNamed("plain", "refuse")]);
  await silence("table");
  await silence("plain");
  const got = new Set<string>();
  const waits = waitsOf(t);
  for (const name of ["table", "plain"]) {
    const begin = () => broker.consume(name, (one) => [one.ack(), got.add(one.key)], { prefetch: 1 });
    void persist(name, begin, waits);
  }
  await until(() => said().includes("queue table delivers nothing, as after a crash"), patient);
  // From 4.0 on the deletion takes five seconds: a message meanwhile is confirmed and reaches no queue.
  await until(async () => (await goesThrough(broker, "table")()) && got.has("table"), patient);
  assert.match(said(), /queue plain does not answer: .*`rabbitmqctl delete_queue plain` mends it/);
  assert.doesNotMatch(said(), /queue plain delivers nothing, as after a crash/);
});

test("a leaderless queue is recreated for unconfirmed messages, its neighbours keep theirs", async (t) => {
  const { broker, said } = await open(t);
  const together = ["absent", "present"].map((name) => ({ ...queueNamed(name, "drop"), keys: ["both"] }));
  await broker.declare(together);
  await silence("absent");
  await assert.rejects(broker.publish("both", "hello"), /was not confirmed/);
  // Every publisher repeats its messages: tables and reports are sent again.
  const recreated = () => said().includes("queue absent delivers nothing, as after a crash");
  await until(async () => recreated() || ((await goesThrough(broker, "both")()) && recreated()), patient);
  await until(goesThrough(broker, "both"), patient);
  assert.doesNotMatch(said(), /queue present delivers nothing, as after a crash/);
  const got = new Map(together.map(({ name }) => [name, 0]));
  const waits = waitsOf(t);
  for (const { name } of together) {
    const take = (one: Delivery): void => {
      one.ack();
      got.set(name, (got.get(name) ?? 0) + 1);
    };
    void persist(name, () => broker.consume(name, take, { prefetch: 9 }), waits);
  }
  // From 4.0 on the deletion of such a queue takes five seconds, and its consumers are refused meanwhile.
  await until(async () => (await goesThrough(broker, "both")()) && got.get("absent") !== 0, patient);
  await until(() => (got.get("present") ?? 0) >= 2);
});
