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

/** All that is waited for passes so many times as fast; the server's own time does not. */
const fast = (speed: number): Clock => ({
  ...systemClock,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
});
const patient = { within: 30_000 };

/** A candidate of an election, and what it said. */
async function stander(t: TestContext, election: string) {
  const said: string[] = [];
  const broker = await rabbitBroker({ url: server.url, log: (line) => void said.push(line), clock: fast(4) });
  t.after(() => broker.close());
  let active = false;
  await broker.stand(election, (now) => {
    active = now;
  });
  return { active: () => active, remakes: () => said.filter((line) => line.includes("carries nothing")).length };
}

/** A channel of somebody else's, and how it makes the queue of an election as candidates do. */
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

/** Takes a tick and never acknowledges it, as a consumer does that is gone while the queue holds it for one. */
async function hoard(channel: Channel, name: string): Promise<void> {
  await channel.prefetch(1);
  await channel.consume(name, () => {});
}

test("ticks that go to a consumer that takes none come to a candidate once their queue was made anew, one time", async (t) => {
  const { channel, name, declare } = await stranger(t, "hoarded");
  await declare();
  await hoard(channel, name);
  const candidates = await Promise.all([stander(t, "hoarded"), stander(t, "hoarded")]);
  const start = performance.now();
  const remakes = () => candidates.reduce((sum, one) => sum + one.remakes(), 0);
  await until(() => remakes() > 0, patient);
  assert.ok(!candidates.some((one) => one.active()));
  const remade = performance.now();
  await until(() => candidates.some((one) => one.active()), { within: 5_000 });
  t.diagnostic(
    `made anew after ${Math.round(remade - start)} ms, active ${Math.round(performance.now() - remade)} later`,
  );
  assert.ok(candidates.every((one) => one.remakes() <= 1));
});

test("a candidate whose queue was deleted and declared again in one breath is active again without another remaking", async (t) => {
  const one = await stander(t, "breath");
  await until(one.active);
  const { channel, name, declare } = await stranger(t, "breath");
  await channel.deleteQueue(name);
  await declare();
  await until(() => !one.active());
  const start = performance.now();
  await until(one.active, patient);
  t.diagnostic(`active again after ${Math.round(performance.now() - start)} ms`);
  assert.equal(one.remakes(), 0);
});

/** A queue of which somebody else was given the first messages, and keeps them, and who consumes it now. */
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

test("messages that go to a consumer that is gone come to the one that is there, once the queue of a table was made anew", async (t) => {
  const { publish, taken, said, connection } = await starving(t, "names", "table");
  t.after(() => connection.close());
  await until(async () => {
    // A message that is under way to a queue that is deleted costs the connection.
    await publish("some").catch(() => {});
    return taken.length > 0;
  }, patient);
  await publish("last");
  await until(() => taken.at(-1) === "last");
  assert.match(
    said.join("\n"),
    /consumed no more: nothing of it comes, although (it has 2 consumers|\d+ messages lie in it)/,
  );
  assert.equal(said.filter((line) => line.includes("carries nothing")).length, 1);
});

test("of a queue whose messages are nowhere else it is said that nothing comes of it, and how that ends; nothing is deleted", async (t) => {
  const { name, broker, connection, publish, taken, said } = await starving(t, "mail", "plain");
  for (const body of ["one", "two"]) await publish(body);
  await until(() => broker.trouble()?.includes(`nothing comes of queue ${name}`) === true, patient);
  await connection.close();
  await until(() => taken.toSorted().join() === "one,two", patient);
  await until(() => broker.trouble() === undefined, patient);
  assert.equal(said.filter((line) => line.startsWith("nothing comes of queue")).length, 1);
});
