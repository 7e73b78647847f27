import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { until } from "../../../test/until.ts";
import { eventService, queueName, reportService, serviceKey } from "../../core/stream/routing.ts";
import type { Broker, Delivery } from "../../ports/broker.ts";
import { memoryHub } from "../../testing/memory-broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { queuesOf } from "../publish/queues.ts";
import { consumeQueues } from "./consumers.ts";

const [reports, events] = [queueName("civet", reportService), queueName("civet", eventService)];
const queues = queuesOf({ hosts: new Map([["civet", ["event"]]]) }, new Set());

/** The consumers of a transcriber at a broker in memory. */
function scene(context: TestContext, broken: Partial<Broker> = {}) {
  const hub = memoryHub();
  const broker = hub.connect();
  const clock = virtualClock(0);
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const taken: string[] = [];
  const elections: boolean[] = [];
  const log: string[] = [];
  const take = (kind: string) => (delivery: Delivery) => void taken.push(`${kind} ${Buffer.from(delivery.body)}`);
  const done = consumeQueues({
    ...{ host: "civet", broker: { ...broker, ...broken }, queues, ready: ready.promise },
    ...{ report: take("report"), event: take("event"), elect: (active: boolean) => void elections.push(active) },
    ...{ clock, signal: stop.signal, log: (line: string) => void log.push(line) },
  });
  context.after(async () => {
    stop.abort();
    await done;
    await broker.close();
  });
  return { hub, broker, clock, stop, ready, taken, elections, log, done };
}

test("reports and events are consumed at once, and the election waits until ready", async (context) => {
  const { hub, broker, clock, ready, taken, elections } = scene(context);
  await clock.advance(0);
  for (const service of [reportService, eventService]) await broker.publish(serviceKey(service), service);
  await until(() => taken.length === 2);
  assert.deepEqual(taken.sort(), ["event event", "report report"]);
  await clock.advance(60_000);
  assert.deepEqual(elections, []);
  ready.resolve();
  await until(() => elections.length === 1);
  assert.deepEqual(elections, [true]);
  assert.equal(hub.look(reports).length + hub.look(events).length, 2);
});

test("after the signal no election begins, and unacknowledged messages go to the next", async (context) => {
  const { hub, broker, clock, stop, ready, taken, elections, done } = scene(context);
  ready.resolve();
  await until(() => elections.length === 1);
  await broker.publish(serviceKey(eventService), "x");
  await until(() => taken.length === 1);
  const next = hub.connect();
  const others: boolean[] = [];
  await next.campaign(eventService, (active) => void others.push(active));
  await clock.advance(0);
  assert.deepEqual(others, []);
  stop.abort();
  await done;
  assert.deepEqual([...new Set(elections)], [true, false]);
  await until(() => others.length === 1);
  const again: Delivery[] = [];
  await next.consume(events, (delivery) => void again.push(delivery), { prefetch: 1 });
  await until(() => again.length === 1);
  await next.close();
});

test("an election that is won after the signal does not count", async (context) => {
  let changed = (_: boolean): void => {};
  const campaign: Broker["campaign"] = async (_, elected) => {
    changed = elected;
    return { close: async () => {} };
  };
  const { clock, stop, ready, elections, done } = scene(context, { campaign });
  ready.resolve();
  await clock.advance(0);
  stop.abort();
  changed(true);
  await done;
  assert.ok(elections.every((active) => !active));
});

test("a broker that is away at the start is tried until it is back", async (context) => {
  let failures = 3;
  const hub = memoryHub();
  const broker = hub.connect();
  const declare: Broker["declare"] = async (queues) => {
    if (failures-- > 0) throw new Error("the broker is away");
    await broker.declare(queues);
  };
  const { clock, ready, elections, log } = scene(context, { ...broker, declare });
  ready.resolve();
  await clock.advance(10_000);
  await until(() => elections.length === 1);
  assert.deepEqual(log, ["the broker: the broker is away; trying again", "the broker: recovered"]);
});
