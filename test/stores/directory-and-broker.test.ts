import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";
import { connectBroker } from "../../src/daemon/broker.ts";
import { eventContent, openEventDirectory, seedEventDirectory } from "../../src/daemon/event-directory.ts";
import { type Delivery, QueueFull } from "../../src/ports/broker.ts";
import type { SourceChange } from "../../src/ports/directory.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { until } from "../until.ts";
import { messageOf } from "./directory-story.ts";
import * as expected from "./expected.ts";
import { copyOf, folders, nothingLost } from "./open.ts";
import { hostName, projectOf } from "./project.ts";

const { events, made, names, queues, start } = expected;

/** Makes a claim of the directory and the broker in every folder. */
function everyState(claim: string, work: (state: string, t: TestContext) => Promise<void>) {
  for (const folder of folders)
    test(`${basename(folder)}: ${claim}`, { timeout: 20_000 }, (t) => work(copyOf(t, folder), t));
}

async function openDirectory(state: string) {
  const clock = virtualClock(made + 1000);
  const lost: string[] = [];
  const stop = new AbortController();
  const waits = { clock, signal: stop.signal, log: (line: string) => void lost.push(line) };
  const directory = await openEventDirectory(projectOf(state), hostName, waits);
  assert.ok(directory);
  nothingLost(lost);
  return {
    ...{ directory, waits },
    names: () =>
      eventContent(projectOf(state))
        .map(({ dn }) => dn)
        .sort(),
    [Symbol.dispose]() {
      stop.abort();
      directory[Symbol.dispose]();
    },
  };
}

everyState("the directory made of events delivers its entries, whole", async (state) => {
  using opened = await openDirectory(state);
  const [first] = await take(opened.directory.changes(opened.waits.signal), 1);
  assert.ok(first?.kind === "refresh");
  assert.deepEqual(first.state, [expected.state]);
  assert.deepEqual(first.entries.map(({ dn }) => dn).sort(), names);
  const of = (name: string) => first.entries.find(({ dn }) => dn.includes(name))?.attributes;
  assert.deepEqual(of("ada")?.get("description"), ["at the door"]);
  assert.deepEqual(of("eve")?.get("jpegphoto"), [new Uint8Array([0, 1, 2, 255])]);
  const { count, newest } = opened.directory.aside();
  assert.deepEqual([count, newest], [1, { why: "not an event: expected four", at: made }]);
});

everyState("an event that was taken is not taken again", async (state) => {
  using opened = await openDirectory(state);
  const changes = opened.directory.changes(opened.waits.signal);
  const [refresh] = await take(changes, 1);
  const gone = (hash: string) => messageOf([hash, { entryDN: ["cn=ada,dc=campus"] }, null, null]);
  for (const [hash] of events) await opened.directory.take([gone(String(hash))], opened.waits.signal);
  assert.deepEqual(opened.names(), names);
  await opened.directory.take([gone("fourth")], opened.waits.signal);
  assert.deepEqual(opened.names(), names.slice(1));
  const [change] = await take(changes, 1);
  assert.ok(change?.kind === "change" && refresh?.kind === "refresh");
  assert.ok(String(change.state) > String(refresh.state), "its state is above that of before");
});

everyState("a seed applies the taken events on top of its entries", async (state) => {
  using opened = await openDirectory(state);
  const file = join(state, "newer.ldif");
  writeFileSync(file, expected.newer);
  const seeded = await seedEventDirectory(projectOf(state), file, { ...opened.waits, exported: start });
  assert.deepEqual([seeded.applied, seeded.keptSince], [events.length, start]);
  assert.deepEqual(opened.names(), expected.reseeded);
});

async function openBroker(state: string) {
  const logged: string[] = [];
  const broker = await connectBroker(projectOf(state), { log: (line) => void logged.push(line) });
  nothingLost(logged);
  const all = async (queue: string) => {
    const taken: { body: string; again: boolean; key: string; id: string | undefined }[] = [];
    const consumer = await broker.consume(queue, (delivery) => void taken.push(shown(delivery)), { prefetch: 100 });
    await until(() => taken.length >= 2);
    await consumer.close();
    return taken;
  };
  return { broker, all, [Symbol.asyncDispose]: () => broker.close() };
}

const shown = ({ body, redelivered, key, messageId, ack }: Delivery) => {
  ack();
  return { body: new TextDecoder().decode(body), again: redelivered, key, id: messageId };
};

everyState("the broker delivers waiting messages in order, and marks the redelivered ones", async (state) => {
  await using opened = await openBroker(state);
  const key = "trigger.kinds";
  assert.deepEqual(await opened.all(queues.table.name), [
    { body: "1", again: true, key, id: undefined },
    { body: "2", again: false, key, id: undefined },
    { body: "3", again: false, key, id: undefined },
  ]);
  assert.deepEqual(await opened.all(queues.plain.name), [
    { body: "4", again: true, key: "trigger.notes.a", id: "message 4" },
    { body: "5", again: true, key: "trigger.notes.a", id: "message 5" },
  ]);
});

everyState("queues of the broker keep their limits and their keys", async (state) => {
  await using opened = await openBroker(state);
  await assert.rejects(opened.broker.publish("trigger.b", "8"), new QueueFull(queues.refuses.name));
  await opened.broker.publish("trigger.kinds", "9");
  const bodies = async (queue: string) => (await opened.all(queue)).map(({ body }) => body);
  assert.deepEqual(await bodies(queues.drops.name), ["3", "9"]);
  assert.deepEqual(await bodies(queues.refuses.name), ["6", "7"]);
  assert.deepEqual(await bodies(queues.table.name), ["1", "2", "3", "9"]);
});

/** Takes the next changes of a source. */
async function take(changes: AsyncIterable<SourceChange>, count: number): Promise<SourceChange[]> {
  const all: SourceChange[] = [];
  const iterator = changes[Symbol.asyncIterator]();
  while (all.length < count) all.push((await iterator.next()).value);
  return all;
}
