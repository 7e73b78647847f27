import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rabbitBroker } from "../../src/brokers/rabbitmq/broker.ts";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import { systemClock as clock } from "../../src/daemon/clock.ts";
import type { Broker } from "../../src/ports/broker.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { measure, shown } from "./figures.ts";

/** `node test/bench/brokers.ts`: what a message costs over RabbitMQ and over the file of one machine, in one run, so that the ratios mean something. */

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const log = (): void => {};
const body = "x".repeat(1_000);
const limit = { messages: 100_000, bytes: 1e9, beyond: "drop" } as const;

const folder = mkdtempSync(join(tmpdir(), "trigger-bench-"));
await using server = await startRabbit();
const brokers: [string, () => Promise<Broker>][] = [
  ["sqlite", () => sqliteBroker(join(folder, "broker.db"), { log })],
  ["rabbitmq, quorum", () => rabbitBroker({ url: server.url, queues: "quorum", log, clock })],
  ["rabbitmq, classic", () => rabbitBroker({ url: server.url, queues: "classic", log, clock })],
];
out("1 KB messages; times in milliseconds.                median       p99");
for (const [name, connect] of brokers) {
  const broker = await connect();
  await hop(name, broker);
  await window(name, broker);
  await broker.close();
}
rmSync(folder, { recursive: true });

async function hop(name: string, broker: Broker): Promise<void> {
  const queue = `hop ${name}`;
  await broker.declare([{ name: queue, keys: [queue], limit }]);
  let arrived = (): void => {};
  await broker.consume(queue, (delivery) => [delivery.ack(), arrived()], { prefetch: 10 });
  const figures = await measure(500, async () => {
    const received = new Promise<void>((resolve) => (arrived = resolve));
    await Promise.all([broker.publish(queue, body), received]);
  });
  out(`${name.padEnd(20)} published, confirmed, received ${shown(figures)}`);
}

async function window(name: string, broker: Broker): Promise<void> {
  const queue = `window ${name}`;
  await broker.declare([{ name: queue, keys: [queue], limit }]);
  const count = 20_000;
  const start = performance.now();
  // Five thousand at a time: what waits is bounded.
  for (let sent = 0; sent < count; sent += 5_000)
    await Promise.all(Array.from({ length: 5_000 }, () => broker.publish(queue, body)));
  out(`${name.padEnd(20)} ${Math.round((count / (performance.now() - start)) * 1_000)} confirmed publishes a second`);
}
