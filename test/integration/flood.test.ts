import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { rabbitBroker } from "../../src/brokers/rabbitmq/broker.ts";
import { commandsOf } from "../../src/brokers/rabbitmq/users.ts";
import { hostUser, hostUserName } from "../../src/core/config/permissions.ts";
import { protocolVersion } from "../../src/core/stream/messages.ts";
import { exchange, queueOf } from "../../src/core/stream/routing.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { reportPrefetch } from "../../src/transcriber/receive/consumers.ts";
import { listener } from "../../src/transcriber/receive/listener.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

// Over a real RabbitMQ, with the users that `trigger permissions` prints: one host floods the queue of reports.

const hosts = new Map([
  ["civet", ["event"]],
  ["box", ["dhcp"]],
  ["liar", ["dhcp"]],
]);

let server: RabbitServer;
let folder: string;
before(async () => {
  server = await startRabbit();
  folder = mkdtempSync(join(tmpdir(), "trigger-flood-"));
  const users = [...hosts.keys()].map((host) => hostUser({ hosts }, host));
  await server.shell(commandsOf(users, "/"), folder);
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const passwordOf = (host: string): string =>
  readFileSync(join(folder, `${hostUserName(host)}.password`), "utf8").trim();

/** The reports that a transcriber has taken, by host. */
async function transcriber(t: TestContext) {
  const heard = new Map<string, number>();
  const log: string[] = [];
  const ignore = (): void => {};
  const report = ({ host }: { host: string }): void => void heard.set(host, (heard.get(host) ?? 0) + 1);
  const inbound = { report, ask: ignore, refusal: ignore, event: ignore, order: ignore, answer: ignore };
  const listen = listener(inbound, (line) => void log.push(line), systemClock);
  const url = `amqp://${hostUserName("civet")}@127.0.0.1:${server.port}`;
  const broker = await rabbitBroker({ url, password: passwordOf("civet"), log: ignore, clock: systemClock });
  t.after(() => broker.close());
  const reports = queueOf("civet", "report", "report");
  await broker.declare([reports]);
  await broker.consume(reports.name, listen.report, { prefetch: reportPrefetch });
  return { heard, log };
}

/** A host that publishes under its own user as fast as the server takes it, until the test ends. */
async function publisher(t: TestContext, host: string) {
  const user = hostUserName(host);
  const connection = await connect(`amqp://${user}:${encodeURIComponent(passwordOf(host))}@127.0.0.1:${server.port}`);
  t.after(() => connection.close().catch(() => {}));
  const channel = await connection.createConfirmChannel();
  return (more = ""): Promise<void> => {
    const body = { trigger: protocolVersion, kind: "report", host, at: 0, services: {}, more };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    channel.publish(exchange, "trigger.report", Buffer.from(JSON.stringify(body)), { userId: user }, (error) =>
      error ? reject(error) : resolve(),
    );
    return promise;
  };
}

for (const [what, messages, size] of [
  ["70,000 small messages", 70_000, 0],
  ["a hundred messages of 7 MB", 100, 7_000_000],
] as const) {
  test(`while one host sends ${what}, each report of another is taken`, { timeout: 180_000 }, async (t) => {
    const { heard, log } = await transcriber(t);
    const [box, liar] = [await publisher(t, "box"), await publisher(t, "liar")];
    const more = "x".repeat(size);
    let underWay = true;
    const flood = (async () => {
      for (let sent = 0; sent < messages; ) {
        const some = Array.from({ length: size > 0 ? 4 : 2_000 }, () => liar(more));
        sent += some.length;
        await Promise.all(some);
      }
      underWay = false;
    })();
    let sent = 0;
    // Within the share of a host that floods nothing.
    while ((underWay && sent < 1_000) || sent < 5) {
      await box();
      sent += 1;
    }
    await flood;
    await until(() => heard.get("box") === sent, { within: 60_000 });
    t.diagnostic(`${sent} reports were taken meanwhile, and ${heard.get("liar") ?? 0} of the other`);
    assert.ok((heard.get("liar") ?? 0) < 20_000);
    assert.match(log.join("\n"), size > 0 ? /bytes, the limit is/ : /trigger-liar sends more than any host needs/);
  });
}
