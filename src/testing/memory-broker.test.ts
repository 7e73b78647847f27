import assert from "node:assert/strict";
import { test } from "node:test";
import { brokerContract } from "../../test/contracts/broker.ts";
import type { Delivery } from "../ports/broker.ts";
import { memoryHub } from "./memory-broker.ts";

brokerContract("memory", async () => {
  const hub = memoryHub();
  return { connect: async () => hub.connect(), [Symbol.asyncDispose]: async () => {} };
});

const queue = { name: "q", keys: ["k"], limit: { messages: 10, bytes: 1_000, beyond: "drop" } } as const;
const texts = (held: Iterable<{ body: Uint8Array }>): string[] =>
  [...held].map(({ body }) => String(Buffer.from(body)));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a crashed connection returns its deliveries in order, and its later calls do nothing", async () => {
  const hub = memoryHub();
  const victim = hub.connect();
  await victim.declare([queue]);
  for (const body of ["1", "2", "3"]) await victim.publish("k", body);
  const inHand: Delivery[] = [];
  await victim.consume("q", (delivery) => void inHand.push(delivery), { prefetch: 2 });
  await turn();
  victim.crash();
  inHand[0]?.ack();
  await assert.rejects(victim.publish("k", "4"), /crashed/);
  assert.deepEqual(texts(hub.look("q")), ["1", "2", "3"]);
  const next: Delivery[] = [];
  await hub.connect().consume("q", (delivery) => void next.push(delivery), { prefetch: 10 });
  await turn();
  assert.deepEqual(texts(next), ["1", "2", "3"]);
  assert.deepEqual(
    next.map(({ redelivered }) => redelivered),
    [true, true, false],
  );
});

test("a crashed candidate hears nothing, and the next one is active", async () => {
  const hub = memoryHub();
  const said: string[] = [];
  const victim = hub.connect();
  await victim.campaign("e", (active) => void said.push(`first ${active}`));
  await hub.connect().campaign("e", (active) => void said.push(`second ${active}`));
  await turn();
  victim.crash();
  await turn();
  assert.deepEqual(said, ["first true", "second true"]);
});

test("a purge removes only messages that were not handed over", async () => {
  const hub = memoryHub();
  const broker = hub.connect();
  await broker.declare([queue]);
  for (const body of ["1", "2", "3"]) await broker.publish("k", body);
  await broker.consume("q", () => {}, { prefetch: 1 });
  await turn();
  hub.purge("q");
  assert.deepEqual(
    hub.look("q").map(({ unacknowledged }) => unacknowledged),
    [true],
  );
});

test("a queue that was dropped takes nothing until it is declared again", async () => {
  const hub = memoryHub();
  const broker = hub.connect();
  await broker.declare([queue]);
  hub.drop("q");
  await broker.publish("k", "lost");
  await broker.declare([queue]);
  await broker.publish("k", "kept");
  assert.deepEqual(texts(hub.look("q")), ["kept"]);
});

test("a take that publishes and acknowledges does not change the order", async () => {
  const broker = memoryHub().connect();
  await broker.declare([queue]);
  const got: string[] = [];
  const take = (delivery: Delivery): void => {
    got.push(...texts([delivery]));
    if (got.length < 5) void broker.publish("k", `${got.length}`);
    delivery.ack();
  };
  await broker.consume("q", take, { prefetch: 2 });
  await broker.publish("k", "0");
  await turn();
  assert.deepEqual(got, ["0", "1", "2", "3", "4"]);
});
