import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { mendStuck } from "./stuck-ticks.ts";

/** A candidate that gets no ticks; the test says if the queue holds one. */
async function scene() {
  const clock = virtualClock(0);
  const stop = new AbortController();
  const seen = {
    heard: false,
    holdsMessage: true as boolean | undefined,
    checks: 0,
    restarted: [] as number[],
    recreated: [] as number[],
  };
  const running = mendStuck({
    ...{ clock, signal: stop.signal, checkEvery: 5000, checks: { restart: 3, recreate: 8 }, heard: () => seen.heard },
    async holdsMessage() {
      seen.checks += 1;
      if (seen.holdsMessage === undefined) throw new Error("the connection is gone");
      return seen.holdsMessage;
    },
    restart: () => void seen.restarted.push(clock.monotonic()),
    recreate: async () => void seen.recreated.push(clock.monotonic()),
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, seen, end };
}

test("three checks that find a tick consume again, eight recreate the queue", async () => {
  const { clock, seen, end } = await scene();
  await clock.advance(39_000);
  assert.deepEqual(seen.recreated, []);
  await clock.advance(50_000);
  assert.deepEqual(seen.recreated, [40_000, 80_000]);
  assert.deepEqual(seen.restarted, [15_000, 55_000]);
  await end();
});

test("a look that finds none, or fails, restarts the count", async () => {
  const { clock, seen, end } = await scene();
  for (const holdsMessage of [false, undefined]) {
    await clock.advance(35_000);
    seen.holdsMessage = holdsMessage;
    await clock.advance(5_000);
    seen.holdsMessage = true;
  }
  await clock.advance(35_000);
  assert.deepEqual(seen.recreated, []);
  await end();
});

test("a candidate that hears the ticks does not look", async () => {
  const { clock, seen, end } = await scene();
  seen.heard = true;
  await clock.advance(120_000);
  assert.deepEqual([seen.checks, seen.restarted, seen.recreated], [0, [], []]);
  await end();
});
