import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { until } from "../../../test/until.ts";
import { hostUser, hostUserName } from "../../core/config/permissions.ts";
import { queueOf } from "../../core/stream/routing.ts";
import { persist } from "../../core/util/persist.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Broker, Queue } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { askFor } from "./asks.ts";
import { rabbitBroker } from "./broker.ts";
import { queueArguments } from "./queue-arguments.ts";
import { commandsOf } from "./users.ts";

const hosts = new Map([
  ["civet", ["event"]],
  ["box", ["dhcp", "dns", "mail", "ntp", "siren"]],
  ["cat", ["dhcp"]],
]);

let server: RabbitServer;
let folder: string;
before(async () => {
  server = await startRabbit();
  folder = mkdtempSync(join(tmpdir(), "trigger-rights-"));
  const users = [...hosts.keys()].map((host) => hostUser({ hosts }, host));
  await server.shell(commandsOf(users, "/"), folder);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** The factor by which all waits are faster. The server's own time does not change. */
const speed = 5;
const clock: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
};
const patient = { within: 45_000 };

/** The broker of a host, under the user that `trigger permissions` prints. It is closed with the test. */
async function open(t: TestContext, host: string): Promise<{ broker: Broker; said: () => string }> {
  const user = hostUserName(host);
  const password = readFileSync(join(folder, `${user}.password`), "utf8").trim();
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const url = `amqp://${user}@127.0.0.1:${server.port}`;
  const broker = await rabbitBroker({ url, password, log, clock });
  t.after(() => broker.close());
  return { broker, said: () => said.join("\n") };
}

/** The active transcriber: it has declared these queues, and consumes the reports of hosts. */
async function transcriber(t: TestContext, queues: readonly Queue[]) {
  const one = await open(t, "civet");
  const reports = queueOf("civet", "report", "report");
  await one.broker.declare([reports, ...queues]);
  await one.broker.consume(reports.name, (delivery) => delivery.ack(), { prefetch: 10 });
  let active = false;
  await one.broker.campaign("event", (now) => {
    active = now;
  });
  await until(() => active, patient);
  return one;
}

/** The options of retries that end with the test, and the lines that they log. */
function waitsOf(t: TestContext) {
  const over = new AbortController();
  t.after(() => over.abort());
  const said: string[] = [];
  return { clock, signal: over.signal, log: (line: string) => void said.push(line), said: () => said.join("\n") };
}

/** Consumes a queue as soon as it exists. */
function follow(t: TestContext, broker: Broker, queue: Queue) {
  const waits = waitsOf(t);
  const got: string[] = [];
  void persist(
    `the queue ${queue.name}`,
    async () => {
      await broker.declare([queue]);
      return broker.consume(queue.name, (one) => [one.ack(), got.push(Buffer.from(one.body).toString())], {
        prefetch: 9,
      });
    },
    waits,
  );
  return { got, said: waits.said };
}

/** A channel of the administrator. */
async function stranger(t: TestContext): Promise<Channel> {
  const model: ChannelModel = await connect(server.url);
  t.after(() => model.close());
  const channel = await model.createChannel();
  channel.on("error", () => {});
  return channel;
}

/** Requests a queue over a connection of a host's user, under any user name. */
async function askerOf(t: TestContext, host: string) {
  const user = hostUserName(host);
  const password = readFileSync(join(folder, `${user}.password`), "utf8").trim();
  const model = await connect(`amqp://${user}:${password}@127.0.0.1:${server.port}`);
  t.after(() => model.close());
  const connection = { model } as Parameters<typeof askFor>[3];
  return (queue: string, name: string, fault: Parameters<typeof askFor>[1] = "silent") =>
    askFor(queue, fault, name, connection);
}

const goesThrough = (broker: Broker, key: string, body: string) => (): Promise<boolean> =>
  broker.publish(key, body).then(
    () => true,
    () => false,
  );

test("a host without its queue names its transcriber, and goes on", async (t) => {
  const queue = queueOf("box", "dns", "table");
  const host = await open(t, "box");
  const { got, said } = follow(t, host.broker, queue);
  await until(() => said().includes(`queue ${queue.name} is missing`));
  assert.match(
    said(),
    /is missing, and this user may not make it: a transcriber makes it once started with a config that/,
  );
  const { broker } = await transcriber(t, [queue]);
  await until(() => said().includes("recovered"), patient);
  await broker.publish("trigger.dns", "hello");
  await until(() => got.length > 0);
  assert.equal(host.broker.trouble(), undefined);
});

test("a host's deleted queue is recreated by the transcriber it asks", async (t) => {
  // Another host has a queue of the same key: no message comes back from there.
  const [queue, other] = [queueOf("box", "dhcp", "table"), queueOf("cat", "dhcp", "table")];
  const { broker, said } = await transcriber(t, [queue, other]);
  const host = await open(t, "box");
  const { got } = follow(t, host.broker, queue);
  await broker.publish("trigger.dhcp", "before");
  await until(() => got.length === 1);
  await (await stranger(t)).deleteQueue(queue.name);
  await until(() => said().includes(`queue ${queue.name} was missing: declared for its host`), patient);
  await until(() => host.said().includes(`queue ${queue.name} is consumed again`), patient);
  await broker.publish("trigger.dhcp.box", "after");
  await until(() => got.includes("after"));
  assert.equal(host.broker.trouble(), undefined);
});

test("a leaderless queue of a table is recreated by the transcriber", async (t) => {
  const queue = queueOf("box", "ntp", "table");
  const { broker, said } = await transcriber(t, [queue]);
  await server.ctl("eval", `sys:suspend(whereis('%2F_${queue.name}')).`);
  const host = await open(t, "box");
  const { got } = follow(t, host.broker, queue);
  await until(
    () => host.said().includes("may not be deleted by this user: a transcriber is requested to do it"),
    patient,
  );
  await until(() => said().includes(`queue ${queue.name} delivers nothing, as after a crash`), patient);
  // RabbitMQ 4 deletes such a queue for five seconds, and with it the messages sent meanwhile.
  await until(async () => (await goesThrough(broker, "trigger.ntp", "hello")()) && got.includes("hello"), patient);
});

test("a queue with a stuck consumer is recreated, a plain one is not", async (t) => {
  const [table, plain] = [queueOf("box", "mail", "table"), queueOf("box", "siren", "plain")];
  const { broker, said } = await transcriber(t, [table, plain]);
  const hoarder = await stranger(t);
  for (const { name } of [table, plain]) {
    await hoarder.prefetch(1);
    await hoarder.consume(name, () => {});
  }
  const host = await open(t, "box");
  const { got } = follow(t, host.broker, table);
  follow(t, host.broker, plain);
  await until(async () => {
    // A message in flight to a deleted queue closes the connection.
    await broker.publish("trigger.mail", "some").catch(() => {});
    await broker.publish("trigger.siren", "some").catch(() => {});
    return got.length > 0;
  }, patient);
  assert.match(said(), /queue trigger-box-mail delivers nothing, as after a crash: it is deleted and declared again/);
  await until(
    () => host.broker.trouble()?.includes("queue trigger-box-siren delivers nothing, although") === true,
    patient,
  );
  assert.doesNotMatch(said(), /queue trigger-box-siren delivers nothing, as after a crash/);
});

test("a host has only its own queue recreated, once in two minutes", async (t) => {
  const queues = [queueOf("box", "dhcp", "table"), queueOf("cat", "dhcp", "table")];
  const { said } = await transcriber(t, queues);
  const ask = await askerOf(t, "box");
  await ask("trigger-cat-dhcp", "trigger-cat"); // the server refuses that name
  await ask("trigger-cat-dhcp", "trigger-box");
  await until(() =>
    said().includes("queue trigger-cat-dhcp is requested by the user trigger-box, which does not own it"),
  );
  await ask("trigger-box-dhcp", "trigger-box");
  await until(() => said().includes("queue trigger-box-dhcp delivers nothing, as after a crash"));
  // A request during the recreation is ignored, so it is repeated once the queue exists.
  const model = await connect(server.url);
  t.after(() => model.close());
  await until(async () => {
    const channel = await model.createChannel();
    channel.on("error", () => {});
    return channel.checkQueue("trigger-box-dhcp").catch(() => undefined);
  });
  for (const name of ["a", "b", "c", "d"]) {
    await ask("trigger-box-dhcp", "trigger-box");
    await ask(`trigger-civet-${name}`, "trigger-box");
    await until(() => said().includes(`queue trigger-civet-${name} is requested by`)); // so the earlier one was read, too
  }
  assert.equal(said().match(/delivers nothing, as after a crash/g)?.length, 1, said());
  assert.doesNotMatch(said(), /queue trigger-cat-dhcp delivers nothing, as after a crash/);
});

test("a standby declares missing queues and exchanges, and recreates none", async (t) => {
  const queue = queueOf("box", "dhcp", "table");
  const reports = queueOf("civet", "report", "report");
  const { broker, said } = await open(t, "civet");
  await broker.declare([reports, queue]);
  await broker.consume(reports.name, (delivery) => delivery.ack(), { prefetch: 10 });
  const ask = await askerOf(t, "box");
  for (let times = 0; times < 3; times++) await ask(queue.name, "trigger-box");
  await (await stranger(t)).deleteQueue(queue.name);
  await until(async () => {
    await ask(queue.name, "trigger-box", "gone");
    return said().includes(`queue ${queue.name} was missing: declared for its host`);
  }, patient);
  assert.doesNotMatch(said(), /delivers nothing, as after a crash/);
});

test("a message that its user may not publish names the missing right", async (t) => {
  const { broker } = await open(t, "box");
  await assert.rejects(
    broker.publish("trigger.control", "{}"),
    /no right to publish: run `trigger permissions`.*ACCESS_REFUSED/,
  );
  await until(goesThrough(broker, "trigger.report", "{}"), patient);
});

test("a deleted exchange is declared again, with the loss of rights in the log", async (t) => {
  const queue = queueOf("box", "dhcp", "table");
  const { broker, said } = await transcriber(t, [queue]);
  const host = await open(t, "box");
  const { got } = follow(t, host.broker, queue);
  await until(goesThrough(broker, "trigger.dhcp.box", "before"), patient);
  await until(() => got.includes("before"));
  await (await stranger(t)).deleteExchange("trigger");
  await until(goesThrough(broker, "trigger.dhcp.box", "after"), patient);
  await until(() => got.includes("after"), patient);
  const forgets = /exchange trigger was not there, and is made: RabbitMQ 4\.3 has dropped .*`trigger permissions`/;
  if (Number.parseInt(await server.ctl("version"), 10) >= 4) assert.match(said(), forgets);
  else assert.doesNotMatch(said(), forgets);
});

test("under RabbitMQ 4 the log names the losses of plain queues", async (t) => {
  const [plain, table] = [queueOf("box", "old", "plain"), queueOf("box", "older", "table")];
  const channel = await stranger(t);
  for (const queue of [plain, table]) {
    const options = queueArguments(queue, "quorum", { product: "RabbitMQ", version: "3.10.8" });
    await channel.assertQueue(queue.name, { durable: true, arguments: options });
  }
  const { broker, said } = await open(t, "civet");
  await broker.declare([plain, table]);
  await broker.declare([plain, table]);
  const lines = said()
    .split("\n")
    .filter((line) => /under RabbitMQ 3|keeps that until/.test(line));
  if (Number.parseInt(await server.ctl("version"), 10) < 4) return assert.deepEqual(lines, []);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^queue trigger-box-old, and perhaps others, was made under RabbitMQ 3: .*21 deliveries.*`rabbitmqctl set_policy -p VHOST --apply-to quorum_queues trigger '\^trigger\[-\.\]' '\{"delivery-limit": -1\}'`$/,
  );
});

test("a host that may not read its queue names the right to grant", async (t) => {
  const queue = queueOf("cat", "dhcp", "table");
  await transcriber(t, [queue]);
  const { broker } = await open(t, "box");
  await assert.rejects(
    broker.consume(queue.name, () => {}, { prefetch: 1 }),
    /no right to read queue trigger-cat-dhcp: run `trigger permissions`/,
  );
});
