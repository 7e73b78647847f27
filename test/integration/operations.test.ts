import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from "amqplib";
import { commandsOf } from "../../src/brokers/rabbitmq/users.ts";
import { type BrokerUser, hostUser, senderUser, writerUser } from "../../src/core/config/permissions.ts";
import { connectAs } from "../servers/as-user.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";

// Each printed user tries the whole table of operations, and may do the few that it needs.

const hosts = new Map([
  ["civet", ["event"]],
  ["box", ["names", "note"]],
  ["cat", ["names"]],
]);
const users: readonly BrokerUser[] = [
  ...["civet", "box"].map((host) => hostUser({ hosts }, host)),
  senderUser("alarm", "note", ["box"]),
  senderUser("binding", "event", ["civet"]),
  writerUser(),
];

const ofBox = ["trigger-box-names", "trigger-box-note", "trigger-box-control"];
const ofCat = ["trigger-cat-names", "trigger-cat-control"];
const ofCivet = ["trigger-civet-event", "trigger-civet-report", "trigger-civet-control", "trigger.ticks.event"];
const others = ["foreign"];
const queues = [...ofBox, ...ofCat, ...ofCivet, ...others];
const exchanges = ["trigger", "trigger-box-names", "foreign", "amq.topic"];
const newNames = ["trigger-box-new", "trigger-new", "new"];
const keys = [
  ...["trigger.names", "trigger.names.box", "trigger.note", "trigger.note.box", "trigger.note.cat"],
  ...["trigger.control", "trigger.control.box", "trigger.event", "trigger.event.civet"],
  ...["trigger.report", "trigger.report.civet", "trigger.ticks.event", "trigger", "other", "trigger.names.box.more"],
];

let server: RabbitServer;
let folder: string;
let administrator: ChannelModel;
before(async () => {
  server = await startRabbit();
  folder = mkdtempSync(join(tmpdir(), "trigger-operations-"));
  await server.shell(commandsOf(users, "/"), folder);
  administrator = await connect(server.url);
});
after(async () => {
  await administrator.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Declares everything that operations are tried on, again after one has deleted it. */
async function prepare(channel: Channel): Promise<void> {
  await channel.assertExchange("trigger", "topic", { durable: true });
  for (const exchange of exchanges.slice(1, 3)) await channel.assertExchange(exchange, "fanout", { durable: true });
  for (const queue of queues) await channel.assertQueue(queue, { durable: true });
  for (const name of newNames) {
    await channel.deleteQueue(name);
    await channel.deleteExchange(name);
  }
  await channel.unbindExchange("trigger", "trigger-box-names", "#");
  await channel.unbindExchange("foreign", "trigger", "#");
}

type Operation = (channel: ConfirmChannel) => Promise<unknown>;

/** Every operation, by its name. */
function operations(): Map<string, Operation> {
  const all = new Map<string, Operation>();
  for (const name of [...queues, ...newNames]) {
    all.set(`declare queue ${name}`, (channel) => channel.assertQueue(name, { durable: true }));
  }
  for (const name of [...exchanges, ...newNames]) {
    all.set(`declare exchange ${name}`, (channel) =>
      channel.assertExchange(name, ["trigger", "amq.topic"].includes(name) ? "topic" : "fanout", { durable: true }),
    );
  }
  for (const name of queues) {
    all.set(`delete queue ${name}`, (channel) => channel.deleteQueue(name));
    all.set(`purge ${name}`, (channel) => channel.purgeQueue(name));
    all.set(`get ${name}`, (channel) => channel.get(name));
    all.set(`consume ${name}`, (channel) => channel.consume(name, () => {}));
    all.set(`publish to queue ${name}`, (channel) => publish(channel, "", name));
    for (const exchange of exchanges) {
      all.set(`bind ${name} to ${exchange}`, (channel) => channel.bindQueue(name, exchange, "trigger.names"));
      all.set(`unbind ${name} from ${exchange}`, (channel) => channel.unbindQueue(name, exchange, "trigger.names"));
    }
  }
  for (const name of exchanges) {
    // Without the exchange itself, RabbitMQ 4.3 forgets the rights to its keys: the rest of the table would differ.
    if (!["trigger", "amq.topic"].includes(name))
      all.set(`delete exchange ${name}`, (channel) => channel.deleteExchange(name));
    for (const source of exchanges.filter((other) => other !== name)) {
      all.set(`bind exchange ${name} to ${source}`, (channel) => channel.bindExchange(name, source, "#"));
    }
    for (const key of keys) all.set(`publish ${key} to ${name}`, (channel) => publish(channel, name, key));
  }
  return all;
}

async function publish(channel: ConfirmChannel, exchange: string, key: string): Promise<void> {
  channel.publish(exchange, key, Buffer.from("{}"));
  await channel.waitForConfirms();
}

/** The names of the operations that the server lets a user do. */
async function permitted({ name }: BrokerUser): Promise<string[]> {
  const password = readFileSync(join(folder, `${name}.password`), "utf8").trim();
  const model = await connectAs(server, { name, password });
  const found: string[] = [];
  try {
    for (const [what, operation] of operations()) {
      const channel = await model.createConfirmChannel();
      const closed = new Promise<never>((_, reject) => channel.on("error", reject));
      closed.catch(() => {}); // it is raced below
      try {
        await Promise.race([operation(channel), closed]);
        found.push(what);
        await channel.close();
        if (/^(declare|delete|bind)/.test(what)) await prepareAgain();
      } catch (error) {
        assert.match(String(error), /ACCESS[_-]REFUSED/, what);
      }
    }
  } finally {
    await model.close();
  }
  return found;
}

async function prepareAgain(): Promise<void> {
  const channel = await administrator.createChannel();
  await prepare(channel);
  await channel.close();
}

const reads = (names: readonly string[]): string[] =>
  names.flatMap((name) => [`purge ${name}`, `get ${name}`, `consume ${name}`]);
const publishes = (...allowed: readonly string[]): string[] => allowed.map((key) => `publish ${key} to trigger`);

const needed: Readonly<Record<string, readonly string[]>> = {
  // RabbitMQ has one right to read queues and exchanges. An exchange with the name of a queue can only be made by an
  // administrator or a transcriber, and the host cannot publish to it: the binding carries no message of the host's.
  "trigger-box": [...reads(ofBox), "bind exchange trigger to trigger-box-names", ...publishes("trigger.report")],
  alarm: publishes("trigger.note", "trigger.note.box"),
  binding: publishes("trigger.event"),
  "trigger.modify": publishes("trigger.event", "trigger.report"),
};

/** Names that a transcriber makes, deletes and fills. */
const isOurs = (name: string): boolean => /^trigger([-.]|$)/.test(name);

/** True for an operation of the transcriber: it makes the queues of all hosts, and publishes to them. */
function transcriberMay(what: string): boolean {
  const [verb = "", ...words] = what.split(" ");
  const [first = "", second = "", third = ""] = words;
  if (["get", "consume", "purge"].includes(verb)) return ofCivet.includes(first);
  if (verb === "publish" && second === "queue") return false;
  if (verb === "publish") return third === "trigger" ? first.startsWith("trigger.") : isOurs(third);
  if (first === "exchange" && verb === "bind") return false; // its keys are trigger's alone, and `#` is every key
  if (verb === "bind" || verb === "unbind") return isOurs(first) && third === "trigger";
  return isOurs(second);
}

for (const user of users) {
  test(`the server lets ${user.name} do what it needs, and no more`, { timeout: 120_000 }, async () => {
    await prepareAgain();
    const all = [...operations().keys()];
    const list = needed[user.name];
    const expected = list ? all.filter((what) => list.includes(what)) : all.filter(transcriberMay);
    assert.ok(list === undefined || expected.length === list.length);
    assert.deepEqual(await permitted(user), expected);
  });
}
