import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { hostScene, plainService } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { queueName, serviceKey } from "../../core/stream/routing.ts";
import { QueueFull } from "../../ports/broker.ts";
import { parkedLimit, rememberedLimit, storedMessages, waitingLimit } from "./messages.ts";

// The messages that wait for a plain service on a host, and in its queue, are limited, and no accepted message is lost.

const name = "secours";
const queue = queueName("a", name);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test("beyond the limit messages stay in the queue, and are later handled in order", async () => {
  const secours = plainService();
  const { hub, send, up, clock, report, end } = hostScene(secours.definition, { name });
  secours.controls.fail = () => {
    throw new Error("not now");
  };
  const host = up();
  for (const n of upTo(waitingLimit)) await send({ n });
  await until(() => report().pending === waitingLimit && report().failing);

  let accepted = waitingLimit;
  const large = "x".repeat(256 * 1024);
  const fill = async (): Promise<void> => {
    for (; ; accepted++) await send({ n: accepted, large });
  };
  await assert.rejects(fill, QueueFull);
  await clock.advance(10_000); // a message to try again is not handled
  assert.equal(report().pending, waitingLimit);
  assert.equal(hub.look(queue).length, accepted - waitingLimit);
  await assert.rejects(send({ n: accepted, large }), QueueFull);

  secours.controls.fail = undefined;
  await clock.advance(30_000);
  await until(() => secours.handled.length >= accepted && report().pending === 0);
  assert.deepEqual(secours.handled, upTo(accepted));
  assert.equal(hub.look(queue).length, 0);
  await host.down();
  end();
});

/** A host with one parked message fewer than the limit, each after six failures. */
async function nearlyFull() {
  const secours = plainService();
  const { database, ...world } = hostScene(secours.definition, { name });
  const messages = storedMessages(database, name);
  for (const n of upTo(parkedLimit - 1)) messages.store(Buffer.from(JSON.stringify({ n })), undefined, 0);
  for (let next = messages.next(); next; next = messages.next()) messages.park(next, "no route");
  const host = world.up();
  const { give: order } = world;
  return {
    ...world,
    ...{ secours, order },
    /** A minute and a half: six failures, and the waits between them. */
    async enough() {
      for (let second = 0; second < 90; second++) await world.clock.advance(1000);
    },
    async [Symbol.asyncDispose]() {
      await host.down();
      world.end();
    },
  };
}

test("failing messages are parked up to the limit, and a retry finds every one", async () => {
  await using world = await nearlyFull();
  const { secours, send, order, report, enough } = world;
  secours.controls.fail = () => {
    throw new Error("no route");
  };
  for (const n of [parkedLimit - 1, parkedLimit, parkedLimit + 1]) await send({ n });
  await until(() => report().pending === 3 && report().failing);
  await enough();
  assert.deepEqual([report().parkedCount, report().pending], [parkedLimit, 2]);
  assert.match(report().why ?? "", /^no route; it waits until one of the 1000 parked is dropped or tried again$/);

  secours.controls.fail = undefined;
  await order({ order: "retry" });
  await until(() => secours.handled.length >= parkedLimit + 2);
  assert.deepEqual(secours.handled, upTo(parkedLimit + 2));
  assert.deepEqual([report().parkedCount, report().pending], [0, 0]);
});

test("malformed messages are parked up to the limit, and one drop frees one place", async () => {
  await using world = await nearlyFull();
  const { secours, send, order, report, enough } = world;
  for (const bad of ["a", "b", "c"]) await send({ bad });
  await send({ n: 7 });
  await enough();
  await until(() => report().parkedCount >= parkedLimit);
  assert.deepEqual([report().parkedCount, report().pending, report().failing], [parkedLimit, 3, true]);

  for (const left of [2, 1]) {
    await order({ order: "drop", number: report().parked[0]?.id });
    await enough();
    await until(() => report().pending <= left);
  }
  await until(() => secours.handled.length === 1 && report().pending === 0);
  assert.deepEqual([secours.handled, report().parkedCount], [[7], parkedLimit]);
});

test("unreadable messages have a limit of their own, and the oldest is dropped", async () => {
  const secours = plainService();
  const { hub, send, up, clock, report, end } = hostScene(secours.definition, { name });
  const host = up();
  const stranger = hub.connect();
  await send({ n: 1 });
  await until(() => secours.handled.length === 1);
  for (const n of upTo(parkedLimit + 100)) await stranger.publish(serviceKey(name), `{${n}`);
  await until(() => hub.look(queue).length === 0);
  assert.equal(report().parkedCount, parkedLimit);

  secours.controls.fail = (n) => {
    if (n === 2) throw new Error("no route");
  };
  await send({ n: 2 });
  await send({ n: 3 });
  await until(() => report().failing);
  for (let second = 0; second < 60; second++) await clock.advance(1000);
  await until(() => report().parkedCount === parkedLimit + 1 && report().pending === 0);
  assert.deepEqual(secours.handled, [1, 3]);
  await host.down();
  end();
});

test("a message with one of the newest ids is handled once", () => {
  const database = emptyStore();
  const [messages, other] = [storedMessages(database, name), storedMessages(database, "other")];
  const handle = (stored: typeof messages, id: string): boolean => {
    stored.store(new Uint8Array(), id, 0);
    const next = stored.next();
    if (next) stored.done(next);
    return next !== undefined;
  };
  handle(other, "id-0");
  // All but a few hundred ids are noted at once: one message after another takes seconds.
  const most = rememberedLimit - 500;
  database
    .prepare("INSERT INTO handled (service, message_id) SELECT ?, 'id-' || value FROM json_each(?)")
    .run(name, JSON.stringify(upTo(most)));
  for (const n of upTo(rememberedLimit + 1).slice(most)) assert.ok(handle(messages, `id-${n}`));
  const remembered = database.prepare("SELECT count(*) AS ids FROM handled WHERE service = ?").get(name);
  assert.equal(remembered?.ids, rememberedLimit);
  assert.equal(handle(messages, `id-${rememberedLimit}`), false);
  assert.equal(handle(messages, "id-1"), false);
  assert.equal(handle(other, "id-0"), false, "each service has its own");
  assert.ok(handle(messages, "id-0"), "the oldest is forgotten");
  database.close();
});

test("a retried message has all its attempts before it", () => {
  const database = emptyStore();
  const messages = storedMessages(database, name);
  messages.store(new Uint8Array(), "id", 0);
  for (let left = 5; left > 0; left--) messages.failed(messages.next()!, "no route");
  assert.equal(messages.next()?.attempts, 5);
  messages.park(messages.next()!, "no route");
  messages.retry();
  assert.equal(messages.next()?.attempts, 0);
  database.close();
});
