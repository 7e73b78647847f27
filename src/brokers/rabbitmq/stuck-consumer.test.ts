import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import type { Connection } from "./connection.ts";
import type { RabbitConsumer } from "./consume.ts";
import { mendStuckConsumer } from "./stuck-consumer.ts";
import type { Topology } from "./topology.ts";

const minute = 60_000;

/** A consumer and its queue, in a state that the test sets: nothing is delivered, and another process consumes too. */
function scene(context: TestContext, { expendable = true } = {}) {
  const clock = virtualClock(0);
  const stop = new AbortController();
  context.after(() => stop.abort());
  const seen = {
    fed: false,
    messages: 0,
    consumers: 2,
    restarted: [] as string[],
    recreated: [] as number[],
    said: [] as string[],
  };
  const consumer: Pick<RabbitConsumer, "isReceiving" | "restart"> = {
    isReceiving: () => seen.fed,
    restart: (why) => void seen.restarted.push(why),
  };
  const declared: Pick<Topology, "look" | "expendable"> = {
    look: async () => ({ messages: seen.messages, consumers: seen.consumers }),
    expendable: () => expendable,
  };
  const trouble = mendStuckConsumer("trigger-box-names", {
    ...{ consumer: consumer as RabbitConsumer, declared: declared as Topology, clock, signal: stop.signal },
    connection: () => ({}) as Connection,
    recreate: async () => void seen.recreated.push(clock.monotonic()),
    log: (line) => void seen.said.push(line),
  });
  return { clock, seen, trouble };
}

test("a stuck queue is consumed again, then recreated ever more rarely", async (context) => {
  const { clock, seen } = scene(context);
  await clock.advance(79_000);
  assert.deepEqual(seen.restarted, ["it delivers nothing, although it has 2 consumers"]);
  assert.deepEqual(seen.recreated, []);
  await clock.advance(60 * minute);
  assert.deepEqual(
    seen.recreated.map((at) => at / 1000),
    [80, 240, 480, 960, 1920],
  );
});

test("a queue that is fed, or empty for its only consumer, stays", async (context) => {
  const { clock, seen } = scene(context);
  seen.fed = true;
  await clock.advance(10 * minute);
  Object.assign(seen, { fed: false, consumers: 1 });
  await clock.advance(10 * minute);
  assert.deepEqual([seen.restarted, seen.recreated], [[], []]);
});

test("a stuck queue that refuses is logged once, never recreated", async (context) => {
  const { clock, seen, trouble } = scene(context, { expendable: false });
  await clock.advance(10 * minute);
  assert.match(
    trouble() ?? "",
    /^queue trigger-box-names delivers nothing, although it has 2 consumers: another process/,
  );
  assert.equal(seen.said.length, 1);
  seen.fed = true;
  await clock.advance(minute);
  assert.equal(trouble(), undefined);
  assert.deepEqual(seen.recreated, []);
});
