import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
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
      isDue: () => runs < 2,
      async run() {
        runs += 1;
        throw new Error("not yet");
      },
      onReportChanged() {},
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

test("a run waits for the start limit of its unit", async () => {
  const clock = virtualClock(0);
  const stop = new AbortController();
  let runs = 0;
  const work = {
    pace: 0,
    rest: () => Math.max(0, 10_000 - clock.monotonic()),
    isDue: () => runs < 2,
    async run() {
      runs += 1;
    },
    onReportChanged() {},
    log() {},
  };
  const { started, ended } = worker(work, Promise.resolve(), clock, stop.signal);
  await started;
  await clock.advance(9_000);
  assert.equal(runs, 1);
  await clock.advance(1_000);
  assert.equal(runs, 2);
  stop.abort();
  await ended;
});
