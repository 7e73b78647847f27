import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { candidate } from "./stand.ts";

/** A candidate whose server is played by the test. */
function scene() {
  const clock = virtualClock(0);
  const history: [at: number, active: boolean][] = [];
  let answer = (): Promise<void> => Promise.resolve();
  const stander = candidate("e", {
    changed: (active) => history.push([clock.monotonic(), active]),
    publish: () => answer(),
    clock,
    log: () => {},
  });
  return {
    clock,
    history,
    stander,
    tick: () => stander.take({ ack() {} } as Delivery),
    /** How the server answers what is published from now on. */
    answers(now: () => Promise<void>) {
      answer = now;
    },
  };
}

test("a candidate that hears ticks and whose own are confirmed is active, until it hears none for five seconds", async () => {
  const { clock, history, stander, tick } = scene();
  await clock.advance(1_500);
  assert.deepEqual(history, []);
  tick();
  await clock.advance(10_000);
  assert.deepEqual(history, [
    [1_500, true],
    [6_500, false],
  ]);
  stander.close();
});

test("a candidate whose ticks are not confirmed any more is active no longer, though it hears others", async () => {
  const { clock, history, stander, tick, answers } = scene();
  tick();
  await clock.advance(500);
  answers(() => Promise.reject(new Error("no majority")));
  for (let second = 0; second < 10; second++) {
    tick();
    await clock.advance(1_000);
  }
  assert.deepEqual(history, [
    [0, true],
    [5_000, false],
  ]);
  stander.close();
});

test("a confirm that comes late proves nothing of now", async () => {
  const { clock, history, stander, tick, answers } = scene();
  const late = Promise.withResolvers<void>();
  answers(() => late.promise);
  await clock.advance(8_000); // the tick of the first moment answered at once, that of the next second waits
  tick();
  late.resolve();
  answers(() => new Promise(() => {}));
  await clock.advance(100);
  assert.deepEqual(history, []);
  stander.close();
});

test("a candidate that closes, or whose channel is gone, is told at once that it is active no longer", async () => {
  for (const leave of ["lose", "close"] as const) {
    const { clock, history, stander, tick } = scene();
    tick();
    await clock.advance(1_000);
    stander[leave]();
    assert.deepEqual(history.at(-1), [1_000, false]);
    stander.close();
  }
});
