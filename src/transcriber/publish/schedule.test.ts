import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { keepTime } from "./schedule.ts";

test("the clock is looked at each minute, however rare digests are and though nothing is due", async () => {
  const clock = virtualClock(0);
  const stop = new AbortController();
  let looks = 0;
  const keeper = keepTime({
    ...{ clock, signal: stop.signal, digestInterval: 60 * 60_000, nextTime: () => undefined, due: () => undefined },
    async look() {
      looks += 1;
    },
    digest: () => assert.fail("no digest is due"),
  });
  await clock.advance(3 * 60_000);
  assert.equal(looks, 3);
  stop.abort();
  await keeper.done;
});
