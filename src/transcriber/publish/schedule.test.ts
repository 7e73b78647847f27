import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { keepSchedule } from "./schedule.ts";

test("the clock ticks each minute even if nothing is due", async () => {
  const clock = virtualClock(0);
  const stop = new AbortController();
  let ticks = 0;
  const schedule = keepSchedule({
    ...{ clock, signal: stop.signal, digestInterval: 60 * 60_000, nextTime: () => undefined, due: () => undefined },
    async tick() {
      ticks += 1;
    },
    digest: () => assert.fail("no digest is due"),
  });
  await clock.advance(3 * 60_000);
  assert.equal(ticks, 3);
  stop.abort();
  await schedule.done;
});
