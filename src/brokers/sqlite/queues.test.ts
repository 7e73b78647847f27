import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { until } from "../../../test/until.ts";
import { takeLock } from "../../sqlite/lock.ts";
import { sqliteBroker } from "./broker.ts";
import { startCandidate } from "./candidate.ts";

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "trigger-queues-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function brokerIn(context: TestContext) {
  const broker = await sqliteBroker(join(folderOf(context), "broker.db"), { log: () => {}, checkEvery: 20 });
  context.after(() => broker.close());
  return broker;
}
const limit = { messages: 1000, bytes: 1e6, beyond: "refuse" } as const;

test("a queue that is declared after another was removed has none of its keys", async (context) => {
  const broker = await brokerIn(context);
  await broker.declare([{ name: "old", keys: ["secret"], limit }]);
  await broker.remove(["old"]);
  await broker.declare([{ name: "new", keys: ["plain"], limit }]);
  await broker.publish("secret", "not for it");
  await broker.publish("plain", "for it");
  const got: string[] = [];
  await broker.consume("new", ({ body }) => void got.push(Buffer.from(body).toString()), { prefetch: 10 });
  await until(() => got.includes("for it"));
  assert.deepEqual(got, ["for it"]);
});

test("one large message drives out as many small ones as a queue's bytes ask", async (context) => {
  const broker = await brokerIn(context);
  const bytes = 2000;
  await broker.declare([{ name: "q", keys: ["k"], limit: { messages: 100, bytes, beyond: "drop" } }]);
  for (let left = 20; left > 0; left--) await broker.publish("k", "x".repeat(100));
  await broker.publish("k", "y".repeat(bytes));
  const got: number[] = [];
  await broker.consume("q", ({ body }) => void got.push(body.length), { prefetch: 100 });
  await until(() => got.includes(bytes));
  assert.deepEqual(got, [bytes]);
});

test("no message is handed over once a consumer closes, also from within its handler", async (context) => {
  const broker = await brokerIn(context);
  await broker.declare([{ name: "q", keys: ["k"], limit }]);
  for (const body of ["one", "two", "three"]) await broker.publish("k", body);
  const got: string[] = [];
  const closed = Promise.withResolvers<void>();
  const consumer = await broker.consume(
    "q",
    ({ body }) => {
      got.push(Buffer.from(body).toString());
      consumer.close().then(closed.resolve, closed.reject);
    },
    { prefetch: 10 },
  );
  await closed.promise;
  assert.deepEqual(got, ["one"]);
});

test("an active candidate hears that it is not before another can be", async (context) => {
  const lockFile = join(folderOf(context), "election.lock");
  const wake = { touch() {}, listen: () => () => {}, trouble: () => undefined, close() {} };
  const heard: boolean[] = [];
  const candidate = startCandidate(
    "transcriber",
    (active) => {
      heard.push(active);
      const lock = takeLock(lockFile);
      lock?.release();
      assert.equal(lock, undefined, "another could be active now");
    },
    { wake, sign: "election", lockFile },
  );
  await until(() => heard.length === 1);
  await candidate.close();
  assert.deepEqual(heard, [true, false]);
});

test("a message acknowledged just before a consumer closed does not come again", async (context) => {
  const broker = await brokerIn(context);
  await broker.declare([{ name: "q", keys: ["k"], limit }]);
  for (const body of ["one", "two"]) await broker.publish("k", body);
  const closed = Promise.withResolvers<void>();
  const consumer = await broker.consume(
    "q",
    ({ ack }) => {
      ack();
      consumer.close().then(closed.resolve, closed.reject);
    },
    { prefetch: 10 },
  );
  await closed.promise;
  const got: string[] = [];
  await broker.consume("q", ({ body }) => void got.push(Buffer.from(body).toString()), { prefetch: 10 });
  await until(() => got.includes("two"));
  assert.deepEqual(got, ["two"]);
});
