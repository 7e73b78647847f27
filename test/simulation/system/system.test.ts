import assert from "node:assert/strict";
import { test } from "node:test";
import { play } from "./play.ts";

/** Milliseconds for the schedules below, and the most of them: `npm run simulate` plays as many as one wants. */
const budget = 35_000;
const most = 300;
const least = 25;

test("the whole system keeps its promises in random schedules of faults", async (context) => {
  const first = 0;
  const end = performance.now() + budget;
  let played = 0;
  for (; played < most && (played < least || performance.now() < end); played++) {
    const { violation, log } = await play(first + played);
    assert.equal(violation, undefined, failure(first + played, violation?.message, log));
  }
  context.diagnostic(`${played} schedules, from seed ${first}`);
});

test("a seed replays exactly", async () => {
  const [one, two] = [await play(7), await play(7)];
  assert.deepEqual(one.log, two.log);
});

/** What to play it again with, and how it ended. */
const failure = (seed: number, message: string | undefined, log: readonly string[]): string =>
  [`npm run simulate -- --seed ${seed}: ${message}`, ...log.slice(-60)].join("\n");
