import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "./virtual-clock.ts";

test("time moves only by an advance", async () => {
  const clock = virtualClock(1_000);
  assert.deepEqual([clock.now(), clock.monotonic()], [1_000, 0]);
  await clock.advance(250);
  assert.deepEqual([clock.now(), clock.monotonic()], [1_250, 250]);
});

test("sleepers wake by their times, and those of one time by their calls", async () => {
  const clock = virtualClock(0);
  const woken: string[] = [];
  for (const [name, ms] of [
    ["late", 30],
    ["early", 10],
    ["also early", 10],
  ] as const) {
    void clock.sleep(ms).then(() => woken.push(`${name} ${clock.now()}`));
  }
  await clock.advance(29);
  assert.deepEqual(woken, ["early 10", "also early 10"]);
  await clock.advance(1);
  assert.deepEqual(woken, ["early 10", "also early 10", "late 30"]);
});

test("one advance walks through a loop that sleeps repeatedly", async () => {
  const clock = virtualClock(0);
  const seen: number[] = [];
  void (async () => {
    for (let turn = 0; turn < 5; turn++) {
      await clock.sleep(100);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(clock.now());
    }
  })();
  await clock.advance(500);
  assert.deepEqual(seen, [100, 200, 300, 400, 500]);
});

test("a sleep ends at once when its signal aborts", async () => {
  const clock = virtualClock(0);
  const controller = new AbortController();
  const asleep = clock.sleep(Number.POSITIVE_INFINITY, controller.signal);
  controller.abort();
  await asleep;
  await clock.sleep(1, controller.signal);
  assert.equal(clock.now(), 0);
});
