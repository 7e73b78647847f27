import assert from "node:assert/strict";
import { test } from "node:test";
import type { TranscriberReport } from "../../core/stream/report.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { transcriberLook } from "./transcriber-report.ts";

test("a new transcriber state is reported at once, an active one every ten seconds", async () => {
  const clock = virtualClock(0);
  let state: TranscriberReport | undefined;
  const reported: number[] = [];
  const look = transcriberLook(
    () => state,
    clock,
    () => void reported.push(clock.monotonic() / 1000),
  );
  const pass = async (seconds: number): Promise<number[]> => {
    for (let second = 0; second < seconds; second++) {
      look();
      await clock.advance(1_000);
    }
    return reported.splice(0);
  };
  assert.deepEqual(await pass(5), []);
  state = { active: false, complete: true };
  assert.deepEqual(await pass(25), [5]);
  state = { active: true, epoch: 7, complete: true };
  assert.deepEqual(await pass(25), [30, 40, 50]);
  state = { active: true, epoch: 8, complete: true };
  assert.deepEqual(await pass(5), [55]);
  state = { active: false, complete: true };
  assert.deepEqual(await pass(25), [60]);
});
