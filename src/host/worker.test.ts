import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../test/until.ts";
import { virtualClock } from "../../test/virtual-clock.ts";
import { worker } from "./worker.ts";

test("a wall clock that is set back delays no retry", async () => {
  const clock = virtualClock(Date.UTC(2026, 10, 22));
  const wall = { skew: 0 };
  const stop = new AbortController();
  let runs = 0;
  const jumping = { ...clock, now: () => clock.now() + wall.skew };
  const { started, ended } = worker(
    {
      pace: 1000,
      owed: () => runs < 2,
      async run() {
        runs += 1;
        throw new Error("not yet");
      },
      changed() {},
      log() {},
    },
    Promise.resolve(),
    jumping,
    stop.signal,
  );
  await started;
  wall.skew = -3_600_000;
  await clock.advance(1000);
  await until(() => runs === 2);
  stop.abort();
  await ended;
  assert.equal(runs, 2);
});
