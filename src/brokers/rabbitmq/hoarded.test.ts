import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type Channel, connect } from "amqplib";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { until } from "../../../test/until.ts";
import { queueOf } from "../../core/stream/routing.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Clock } from "../../ports/clock.ts";
import { rabbitBroker } from "./broker.ts";
import { queueArguments } from "./queue-arguments.ts";

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

/** A clock that makes all waits of the broker faster by a factor. The server's own time does not change. */
const fast = (speed: number): Clock => ({
  ...systemClock,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
});
const patient = { within: 30_000 };

/** A candidate of an election, and the lines that it logs. */
async function candidateOf(t: TestContext, election: string) {
  const said: string[] = [];
  const broker = await rabbitBroker({ url: server.url, log: (line) => void said.push(line), clock: fast(4) });
  t.after(() => broker.close());
  let active = false;
  await broker.campaign(election, (now) => {
    active = now;
  });
  return {
    active: () => active,
    recreations: () => said.filter((line) => line.includes("delivers nothing, as after a crash")).length,
  };
}

/** A channel of another program, and the arguments with which candidates declare the queue of an election. */
async function stranger(t: TestContext, election: string) {
  const connection = await connect(server.url);
  t.after(() => connection.close());
  const channel = await connection.createChannel();
  const name = `trigger.ticks.${election}`;
  const queue = { name, keys: [name], limit: { messages: 1, bytes: 1_000, beyond: "drop" } } as const;
  const { product = "", version = "" } = connection.connection.serverProperties;
  const options = { durable: true, arguments: queueArguments(queue, "quorum", { product, version }) };
  await channel.assertExchange("trigger", "topic", { durable: true });
  const declare = async (): Promise<void> => {
    await channel.assertQueue(name, options);
    await channel.bindQueue(name, "trigger", name);
  };
  return { channel, name, declare };
}

/** Takes a tick without acknowledgement, as an ended consumer that the queue still counts. */
async function hoard(channel: Channel, name: string): Promise<void> {
  await channel.prefetch(1);
  await channel.consume(name, () => {});
}

test("ticks hoarded by another consumer reach a candidate once their queue is recreated", async (t) => {
  const { channel, name, declare } = await stranger(t, "hoarded");
  await declare();
  await hoard(channel, name);
  const candidates = await Promise.all([candidateOf(t, "hoarded"), candidateOf(t, "hoarded")]);
  const start = performance.now();
  const recreations = () => candidates.reduce((sum, one) => sum + one.recreations(), 0);
  await until(() => recreations() > 0, patient);
  assert.ok(!candidates.some((one) => one.active()));
  const recreated = performance.now();
  await until(() => candidates.some((one) => one.active()), { within: 5_000 });
  t.diagnostic(
    `recreated after ${Math.round(recreated - start)} ms, active ${Math.round(performance.now() - recreated)} later`,
  );
  assert.ok(candidates.every((one) => one.recreations() <= 1));
});

test("a candidate whose queue was replaced at once is active without a recreation", async (t) => {
  const one = await candidateOf(t, "breath");
  await until(one.active);
  const { channel, name, declare } = await stranger(t, "breath");
  await channel.deleteQueue(name);
  await declare();
  await until(() => !one.active());
  const start = performance.now();
  await until(one.active, patient);
  t.diagnostic(`active again after ${Math.round(performance.now() - start)} ms`);
  assert.equal(one.recreations(), 0);
});

/** A queue whose first messages another consumer hoards, and its present consumer. */
async function starving(t: TestContext, service: string, form: "table" | "plain") {
  const said: string[] = [];
  const broker = await rabbitBroker({ url: server.url, log: (line) => void said.push(line), clock: fast(10) });
  t.after(() => broker.close());
  const { name, keys, ...queue } = queueOf("box", service, form);
  await broker.declare([{ name, keys, ...queue }]);
  const connection = await connect(server.url);
  await hoard(await connection.createChannel(), name);
  const taken: string[] = [];
  await broker.consume(
    name,
    ({ body, ack }) => {
      taken.push(new TextDecoder().decode(body));
      ack();
    },
    { prefetch: 100 },
  );
  const publish = (body: string): Promise<void> => broker.publish(keys[0] ?? "", body);
  return { name, broker, connection, publish, taken, said };
}

test("hoarded messages of a table reach its consumer once the queue is recreated", async (t) => {
  const { publish, taken, said, connection } = await starving(t, "names", "table");
  t.after(() => connection.close());
  await until(async () => {
    // A message in flight to a deleted queue closes the connection.
    await publish("some").catch(() => {});
    return taken.length > 0;
  }, patient);
  await publish("last");
  await until(() => taken.at(-1) === "last");
  assert.match(
    said.join("\n"),
    /no longer consumed: it delivers nothing, although (it has 2 consumers|\d+ messages are in it)/,
  );
  assert.equal(said.filter((line) => line.includes("delivers nothing, as after a crash")).length, 1);
});

test("a stuck plain queue is logged with its remedy, never deleted", async (t) => {
  const { name, broker, connection, publish, taken, said } = await starving(t, "mail", "plain");
  for (const body of ["one", "two"]) await publish(body);
  await until(() => broker.trouble()?.includes(`queue ${name} delivers nothing, although`) === true, patient);
  await connection.close();
  await until(() => taken.toSorted().join() === "one,two", patient);
  await until(() => broker.trouble() === undefined, patient);
  assert.equal(said.filter((line) => /^queue \S+ delivers nothing, although/.test(line)).length, 1);
});
