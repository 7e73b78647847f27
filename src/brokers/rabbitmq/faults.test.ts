import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { type Channel, connect } from "amqplib";
import { type Certificates, certificates } from "../../../test/servers/certificates.ts";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { type TcpProxy, tcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/until.ts";
import { addressOf } from "../../daemon/broker.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Broker, Delivery, Limit, Queue } from "../../ports/broker.ts";
import { type RabbitOptions, rabbitBroker } from "./broker.ts";

const roomy: Limit = { messages: 100_000, bytes: 1e8, beyond: "refuse" };
const queueNamed = (name: string, limit = roomy): Queue => ({ name, keys: [name], limit });
const text = ({ body }: Delivery): string => Buffer.from(body).toString();
const within = { within: 60_000 };

let certs: Certificates;
let server: RabbitServer;
let proxy: TcpProxy;
before(async () => {
  certs = certificates();
  server = await startRabbit({ tls: certs.sign("server") });
  proxy = await tcpProxy(server.port);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  certs[Symbol.dispose]();
});

/** A broker that is closed with the test, and the lines that it logs. */
async function open(t: TestContext, options: Partial<RabbitOptions> = {}): Promise<{ broker: Broker; said: string[] }> {
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const broker = await rabbitBroker({ url: server.url, heartbeat: 1, log, clock: systemClock, ...options });
  t.after(() => broker.close());
  return { broker, said };
}

/** A channel of another program, which follows no rule of trigger. */
async function stranger(t: TestContext): Promise<Channel> {
  const connection = await connect(server.url);
  t.after(() => connection.close());
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  return channel;
}

async function collect(broker: Broker, queue: string): Promise<string[]> {
  const got: string[] = [];
  await broker.consume(queue, (delivery) => [delivery.ack(), got.push(text(delivery))], { prefetch: 50 });
  return got;
}

const throughProxy = (): string => server.url.replace(`:${server.port}`, `:${proxy.port}`);

test("a queue deleted under its consumer is declared and consumed again, with a log", async (t) => {
  const { broker, said } = await open(t);
  const name = `deleted-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const got = await collect(broker, name);
  await (await stranger(t)).deleteQueue(name);
  await until(() => said.some((line) => line.includes(name) && line.endsWith("is consumed again")));
  assert.match(said.join("\n"), new RegExp(`queue ${name} is no longer consumed: it was deleted`));
  await broker.publish(name, "after");
  await until(() => got.includes("after"));
  assert.equal(broker.trouble(), undefined);
});

test("a queue deleted before it is consumed is logged as deleted", async (t) => {
  const { broker } = await open(t);
  const name = `before-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  await (await stranger(t)).deleteQueue(name);
  await assert.rejects(collect(broker, name), new RegExp(`queue ${name} cannot be consumed: it was deleted$`));
  const { broker: another } = await open(t);
  await assert.rejects(collect(another, name), new RegExp(`queue ${name} cannot be consumed: it is not there$`));
});

test("a message to a deleted queue fails, and the next one finds it", async (t) => {
  const { broker, said } = await open(t);
  const name = `gone-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  await (await stranger(t)).deleteQueue(name);
  await assert.rejects(broker.publish(name, "lost"), new RegExp(`reached no queue: ${name} no longer takes it`));
  await until(() => said.includes(`queue ${name} was deleted: declared again`));
  await broker.publish(name, "found");
  const got = await collect(broker, name);
  await until(() => got.length === 1);
  assert.deepEqual(got, ["found"]);
});

test("a queue that is new, or without bindings, is not logged as deleted", async (t) => {
  const { broker, said } = await open(t);
  const [first, late, unbound] = ["first", "late", "unbound"].map((name) => `${name}-${randomUUID()}`) as [
    string,
    string,
    string,
  ];
  await broker.declare([queueNamed(first), queueNamed(unbound)]);
  const declaring = broker.declare([queueNamed(late)]); // takes several answers, and a publish one
  await assert.rejects(broker.publish(late, "early"), new RegExp(`reached no queue: ${late} does not exist yet`));
  await declaring;
  await broker.publish(late, "found");
  const other = await stranger(t);
  await other.unbindQueue(unbound, "trigger", unbound);
  await assert.rejects(broker.publish(unbound, "lost"), new RegExp(`${unbound} no longer takes it`));
  await until(() => said.includes(`queue ${unbound} lost its bindings: declared again`));
  await broker.publish(unbound, "found");
  // The restoration of another queue waits as long: by its end the first would have been logged.
  await other.deleteQueue(first);
  await assert.rejects(broker.publish(first, "lost"), new RegExp(`${first} no longer takes it`));
  await until(() => said.includes(`queue ${first} was deleted: declared again`));
  assert.doesNotMatch(said.join("\n"), new RegExp(late));
});

test("a deleted exchange is declared again with every binding", async (t) => {
  const { broker } = await open(t);
  const name = `exchange-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const got = await collect(broker, name);
  await (await stranger(t)).deleteExchange("trigger");
  await assert.rejects(broker.publish(name, "lost"), /no exchange 'trigger'/);
  await until(() =>
    broker.publish(name, "after").then(
      () => true,
      () => false,
    ),
  );
  await until(() => got.includes("after"));
});

test("a publish that the server forbids fails with its reason, and the connections stay", async (t) => {
  const [name, user] = [`rights-${randomUUID()}`, "narrow"];
  await server.ctl("add_user", user, "pw");
  await server.ctl("set_permissions", user, `^(${name}|trigger)$`, `^(${name}|trigger)$`, `^(${name}|trigger)$`);
  await server.ctl("set_topic_permissions", user, "trigger", `^${name}$`, ".*");
  const { broker, said } = await open(t, { url: `amqp://${user}:pw@127.0.0.1:${server.port}` });
  await broker.declare([queueNamed(name)]);
  const got = await collect(broker, name);
  await assert.rejects(broker.publish("trigger.forbidden", "x"), /ACCESS_REFUSED.*trigger.forbidden/);
  await broker.publish(name, "allowed");
  await until(() => got.length === 1);
  assert.equal(said.length, 1, said.join("\n"));
  assert.equal(broker.trouble(), undefined);
});

test("a purged queue goes on with the next message", async (t) => {
  const { broker } = await open(t);
  const name = `purged-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  await broker.publish(name, "before");
  await (await stranger(t)).purgeQueue(name);
  const got = await collect(broker, name);
  await broker.publish(name, "after");
  await until(() => got.length === 1);
  assert.deepEqual(got, ["after"]);
});

test("a queue with other arguments is used, and logged once", async (t) => {
  const { broker, said } = await open(t);
  const other = await stranger(t);
  const [plain, tight] = [`plain-${randomUUID()}`, `tight-${randomUUID()}`];
  await other.assertQueue(plain, { durable: true });
  await other.assertQueue(tight, {
    durable: true,
    arguments: { "x-queue-type": "quorum", "x-single-active-consumer": true, "x-max-length": 7 },
  });
  await broker.declare([queueNamed(plain), queueNamed(tight)]);
  await broker.declare([queueNamed(plain), queueNamed(tight)]);
  for (const name of [plain, tight]) {
    const got = await collect(broker, name);
    await broker.publish(name, "hello");
    await until(() => got.length === 1);
  }
  const differing = said.filter((line) => line.endsWith("keeps that until it is deleted"));
  assert.equal(differing.length, 2, differing.join("\n"));
  assert.match(
    differing[0]!,
    new RegExp(`^queue ${plain} exists with .+, not .+, and keeps that until it is deleted$`),
  );
  assert.equal(
    differing[1],
    `queue ${tight} exists with x-max-length 7, not 99999, and keeps that until it is deleted`,
  );
});

test("a memory alarm stops publishes, not acknowledgements; both its ends are logged", async (t) => {
  const { broker, said } = await open(t);
  const name = `alarm-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  for (let n = 0; n < 20; n++) await broker.publish(name, `${n}`);
  const quiet = said.length;
  await server.alarm(true);
  const waiting = broker.publish(name, "during the alarm");
  await until(() => broker.trouble()?.includes("takes no messages now"));
  assert.match(broker.trouble()!, /low on memory.*: 1 wait/);
  const got: string[] = [];
  await broker.consume(name, (delivery) => [delivery.ack(), got.push(text(delivery))], { prefetch: 2 });
  await until(() => got.length === 20);
  await server.alarm(false);
  await waiting;
  await until(() => got.length === 21);
  assert.equal(broker.trouble(), undefined);
  const lines = said.slice(quiet);
  assert.equal(lines.length, 2, lines.join("\n"));
  assert.match(lines[0]!, / takes no messages now \(low on memory\): published messages wait$/);
  assert.match(lines[1]!, / accepts messages again$/);
});

test("a foreign message that is no JSON comes as its bytes", async (t) => {
  const { broker } = await open(t);
  const name = `stranger-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const bytes = Buffer.from([0, 255, 123, 10]);
  const other = await stranger(t);
  other.publish("trigger", name, bytes, {
    headers: { odd: [1, null] },
    contentType: "application/octet-stream",
    type: "x",
  });
  const got: Delivery[] = [];
  await broker.consume(name, (delivery) => [delivery.ack(), got.push(delivery)], { prefetch: 1 });
  await until(() => got.length === 1);
  assert.deepEqual(Buffer.from(got[0]!.body), bytes);
  assert.equal(got[0]!.messageId, undefined);
});

test("a message or key that is too long is refused before it is sent", async (t) => {
  const { broker } = await open(t);
  const name = `large-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  await assert.rejects(
    broker.publish(name, Buffer.alloc(16 * 1024 * 1024 + 1)),
    /has 16777217 bytes; 16777216 is the most/,
  );
  await assert.rejects(broker.publish("k".repeat(256), "x"), /256 bytes; 255 is the most/);
  await assert.rejects(broker.declare([{ name, keys: ["trigger.#"], limit: roomy }]), /has a wildcard/);
  await broker.publish(name, Buffer.alloc(4 * 1024 * 1024, 1));
  const got = await collect(broker, name);
  await until(() => got[0]?.length === 4 * 1024 * 1024);
});

test("a connection that is reset is opened again, and consumers and publishes go on", async (t) => {
  const { broker, said } = await open(t, { url: throughProxy() });
  const name = `reset-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const held: Delivery[] = [];
  const got: string[] = [];
  await broker.consume(name, (delivery) => [held.push(delivery), got.push(text(delivery))], { prefetch: 1 });
  await broker.publish(name, "before");
  await until(() => got.length === 1);
  proxy.cut();
  await until(() => broker.trouble() !== undefined);
  assert.match(broker.trouble()!, /was lost: .*ECONNRESET/);
  await assert.rejects(broker.publish(name, "while it is gone"), /was lost/);
  held[0]!.ack(); // its connection has ended: the message is redelivered
  await until(() => got.length === 2);
  assert.deepEqual([text(held[1]!), held[1]!.redelivered], ["before", true]);
  held[1]!.ack();
  await until(() => broker.trouble() === undefined);
  await broker.publish(name, "after");
  await until(() => got.includes("after"));
  assert.equal(said.filter((line) => line.startsWith("connected to")).length, 2);
});

test("a consumer ends although the connection is lost while it is being closed", async (t) => {
  const { broker } = await open(t, { url: throughProxy(), heartbeat: 60 });
  const name = `closing-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const consumer = await broker.consume(name, () => {}, { prefetch: 1 });
  proxy.pause();
  let closed = false;
  const closing = consumer.close().then(() => {
    closed = true;
  });
  try {
    proxy.cut();
  } finally {
    proxy.resume();
  }
  await until(() => closed);
  await closing;
});

test("a silent server is noticed by its heartbeat, and pending publishes fail", async (t) => {
  const { broker } = await open(t, { url: throughProxy() });
  const name = `silent-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  proxy.pause();
  try {
    await assert.rejects(
      broker.publish(name, "into the void"),
      /was not confirmed, and may have arrived or not: .*(Heartbeat|ECONNRESET)/, // either side may notice first
    );
  } finally {
    proxy.resume();
  }
  await until(() => broker.trouble() === undefined, within);
});

test("a wrong password is logged without it, and read again from its file", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-password-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const passwordFile = join(folder, "password");
  const [, user, right] = server.url.match(/\/\/(.+):(.+)@/)!;
  writeFileSync(passwordFile, "wr0ng-p4ss\n");
  const url = `amqp://${user}@127.0.0.1:${server.port}`;
  const { broker, said } = await open(t, addressOf({ url, passwordFile }, folder));
  const error = await broker.publish("k", "x").catch((thrown) => thrown);
  const everything = `${said.join("\n")}${broker.trouble()}${error.stack}${JSON.stringify(error)}`;
  assert.match(everything, /user trigger was refused: wrong password or unknown user/);
  assert.doesNotMatch(everything, /wr0ng/);
  writeFileSync(passwordFile, `${right}\n`);
  await until(() => broker.trouble() === undefined);
});

test("a broker opens without a server, logs that, and throws at each call", async (t) => {
  const { broker, said } = await open(t, { url: "amqp://someone:s3cr3t@127.0.0.1:1" });
  await assert.rejects(
    broker.declare([queueNamed("q")]),
    /amqp:\/\/someone@127.0.0.1:1 cannot be used: .*ECONNREFUSED/,
  );
  assert.equal(said.length, 1);
  assert.doesNotMatch(said.join(), /s3cr3t/);
});

test("AMQPS asks for certificates on both sides", async (t) => {
  const url = server.url.replace("amqp:", "amqps:").replace(`:${server.port}`, `:${server.tlsPort}`);
  const client = certs.sign("client");
  const by = (files: object): Promise<{ broker: Broker }> => open(t, addressOf({ url, ...files }, "/"));
  const right = await by(client);
  assert.equal(right.broker.trouble(), undefined);
  const name = `tls-${randomUUID()}`;
  await right.broker.declare([queueNamed(name)]);
  await right.broker.publish(name, "hello");

  const otherCa = await by({ ...client, ca: certs.sign("client", "other").ca });
  assert.match(otherCa.broker.trouble()!, /certificate.*broker\.ca/);
  const { ca } = client;
  const noCertificate = await by({ ca });
  assert.match(noCertificate.broker.trouble()!, /the server refused: .*certificate.*: broker\.cert is missing/);
  const foreign = certs.sign("client", "other");
  const otherCertificate = await by({ ca, cert: foreign.cert, key: foreign.key });
  assert.match(otherCertificate.broker.trouble()!, /the server refused: .*: broker\.cert/);
  const noFile = await by({ ca: "/nowhere/ca.pem" });
  assert.match(noFile.broker.trouble()!, /ca: ENOENT.*\/nowhere\/ca.pem/);
});

test("nothing that was confirmed is lost by kill -9, and consumers go on", async (t) => {
  const running = await Promise.all((["quorum", "classic"] as const).map((queues) => traffic(t, queues)));
  // RabbitMQ 3.10 forgets a quorum queue that is younger than half a second when it is killed.
  const old = performance.now() + 2_000;
  await until(() => running.every(({ confirmed }) => confirmed.length > 300) && performance.now() > old);
  await server.restart();
  const before = running.map(({ confirmed }) => confirmed.length);
  await until(() => running.every(({ confirmed }, n) => confirmed.length > before[n]! + 200), within);
  for (const { said, confirmed, seen, stop } of running) {
    await stop();
    await until(() => confirmed.every((body) => seen.has(body)), within);
    assert.ok(
      said.some((line) => line.includes("was lost")),
      said.join("\n"),
    );
    assert.ok(said.at(-1)?.startsWith("connected to"), said.join("\n"));
  }
});

/** Publishes and consumes, twenty at a time, until it is stopped. */
async function traffic(t: TestContext, queues: "quorum" | "classic") {
  const { broker, said } = await open(t, { queues });
  const name = `killed-${queues}-${randomUUID()}`;
  await broker.declare([queueNamed(name)]);
  const seen = new Set<string>();
  await broker.consume(name, (delivery) => [delivery.ack(), seen.add(text(delivery))], { prefetch: 20 });
  const confirmed: string[] = [];
  let count = 0;
  let stopped = false;
  const publishOn = async (): Promise<void> => {
    while (!stopped) {
      const body = `${count++}`;
      await broker.publish(name, body).then(
        () => confirmed.push(body),
        () => systemClock.sleep(20),
      );
    }
  };
  const publishers = Array.from({ length: 20 }, publishOn);
  const stop = async (): Promise<void> => {
    stopped = true;
    await Promise.all(publishers);
  };
  t.after(stop);
  return { said, confirmed, seen, stop };
}

test("a server whose disk is lost gets everything declared again", async (t) => {
  const { broker } = await open(t);
  const name = `disk-${randomUUID()}`;
  await broker.declare([queueNamed(name), queueNamed(`${name}-idle`)]);
  const got = await collect(broker, name);
  await server.loseDisk();
  await server.restart();
  await until(() => broker.trouble() === undefined, within);
  await until(
    () =>
      broker.publish(name, "after").then(
        () => true,
        () => false,
      ),
    within,
  );
  await until(() => got.includes("after"), within);
  await broker.publish(`${name}-idle`, "kept");
  const idle = await collect(broker, `${name}-idle`);
  await until(() => idle.length === 1);
});
