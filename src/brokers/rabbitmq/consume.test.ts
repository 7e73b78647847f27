import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import type { Connection } from "./connection.ts";
import { rabbitConsumer } from "./consume.ts";

/** A consumer of a server that gives this answer to the request to consume. Its pauses end by `pass` alone. */
function consumerOf(answer: Promise<unknown>, { expendable = false } = {}) {
  const connection = connectionOf(() => answer, new Promise(() => {}));
  const said: string[] = [];
  const pauses: (() => void)[] = [];
  let recreated = 0;
  const consumer = rabbitConsumer("trigger-box-gate", () => {}, {
    prefetch: 1,
    declared: { restore: async () => {}, expendable: () => expendable, wasThere: () => true },
    recreate: async () => {
      recreated += 1;
    },
    pause: () => new Promise((resolve) => pauses.push(() => resolve(true))),
    awaitDeletion: async () => {},
    log: (line) => void said.push(line),
    useless: (_, line) => void said.push(line),
  });
  /** Lets a number of pauses pass, one after the other. */
  const pass = async (many: number): Promise<void> => {
    for (let n = 0; n < many; n++) {
      await until(() => pauses.length > 0);
      pauses.shift()?.();
    }
  };
  const recreations = (): number => recreated;
  return { consumer, said, pauses, pass, recreations, connection };
}

function connectionOf(consume: () => Promise<unknown>, ended: Promise<unknown>): Connection {
  const channel = { on() {}, once() {}, off() {}, prefetch: async () => {}, consume, close: async () => {} };
  return { model: { createChannel: async () => channel }, ended } as unknown as Connection;
}

test("a queue that does not answer is recreated after six pauses, then six more", async () => {
  const { promise: answer, resolve: answerNow } = Promise.withResolvers();
  const { consumer, said, pauses, pass, recreations, connection } = consumerOf(answer, { expendable: true });
  const begun = consumer.begin(connection);
  await pass(2);
  await until(() => said.length === 1);
  assert.equal(
    said[0],
    "queue trigger-box-gate does not answer: if it stays so, a crash has broken it, and it is recreated",
  );
  await pass(3);
  await until(() => pauses.length === 1);
  assert.equal(recreations(), 0);
  await pass(1);
  await until(() => recreations() === 1);
  await pass(6);
  await until(() => recreations() === 2);
  await until(() => pauses.length === 1);
  answerNow({});
  await begun;
  await pass(1);
  await new Promise(setImmediate);
  assert.deepEqual([recreations(), pauses.length, consumer.trouble()], [2, 0, undefined]);
});

test("a queue is recreated though the server ends each connection that asks", async () => {
  const { consumer, pass, pauses, recreations } = consumerOf(Promise.resolve(), { expendable: true });
  for (let connections = 1; connections <= 3; connections++) {
    const lost = Promise.withResolvers<unknown>();
    const answer = lost.promise.then(() => Promise.reject(new Error("INTERNAL_ERROR")));
    const begun = consumer.begin(connectionOf(() => answer, lost.promise));
    assert.equal(recreations(), 0);
    await pass(2);
    await until(() => pauses.length === 1);
    lost.resolve("INTERNAL_ERROR");
    await assert.rejects(begun, /INTERNAL_ERROR/);
    pauses.length = 0;
  }
  assert.equal(recreations(), 1);
});

test("a queue that does not answer is logged once, with its remedy", async () => {
  const { promise: answer, resolve: deleted } = Promise.withResolvers();
  const { consumer, said, pauses, connection } = consumerOf(answer);
  const begun = consumer.begin(connection);
  for (const pause of [0, 1]) {
    await until(() => pauses[pause]);
    assert.equal(consumer.trouble(), undefined);
    pauses[pause]?.();
  }
  await until(() => consumer.trouble() === "queue trigger-box-gate does not answer");
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /`rabbitmqctl delete_queue trigger-box-gate`/);
  deleted({});
  await begun;
  assert.equal(consumer.trouble(), undefined);
});

test("a queue that answers late is not logged", async () => {
  const { promise: answer, resolve: answerNow } = Promise.withResolvers();
  const { consumer, said, pauses, connection } = consumerOf(answer);
  const begun = consumer.begin(connection);
  await until(() => pauses[0]);
  answerNow({});
  await begun;
  pauses[0]?.();
  await new Promise(setImmediate);
  assert.deepEqual([said, pauses.length, consumer.trouble()], [[], 1, undefined]);
});

test("a dropped message is logged with the user who sent it", async () => {
  let give: (message: unknown) => void = () => {};
  const acked: unknown[] = [];
  const channel = {
    ...{ on() {}, prefetch: async () => {}, close: async () => {}, ack: (message: unknown) => acked.push(message) },
    consume: async (_: string, taken: typeof give) => {
      give = taken;
    },
  };
  const connection = { model: { createChannel: async () => channel }, ended: new Promise(() => {}) };
  const said: (string | undefined)[][] = [];
  const consumer = rabbitConsumer("trigger-box-gate", () => assert.fail(), {
    ...{
      prefetch: 1,
      declared: { restore: async () => {}, expendable: () => false, wasThere: () => false },
      recreate: async () => {},
    },
    ...{ pause: async () => false, awaitDeletion: async () => {}, log() {}, keys: () => ["trigger.gate"] },
    useless: (source, line) => void said.push([source, line]),
  });
  await consumer.begin(connection as unknown as Connection);
  const fields = { routingKey: "trigger.report" };
  for (const userId of ["trigger-liar", undefined]) give({ fields, properties: { userId }, content: Buffer.from("") });
  const dropped = 'is dropped: it was published as "trigger.report"';
  assert.deepEqual(said, [
    ["trigger-liar", `queue trigger-box-gate: a message of trigger-liar ${dropped}`],
    [undefined, `queue trigger-box-gate: a message ${dropped}`],
  ]);
  assert.equal(acked.length, 2);
});
