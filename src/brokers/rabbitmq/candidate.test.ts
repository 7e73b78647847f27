import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { candidate } from "./candidate.ts";

/** A candidate with the test as its server. */
function scene() {
  const clock = virtualClock(0);
  const history: [at: number, active: boolean][] = [];
  let answer = (): Promise<void> => Promise.resolve();
  const candidacy = candidate("e", {
    changed: (active) => history.push([clock.monotonic(), active]),
    publish: () => answer(),
    clock,
    log: () => {},
  });
  return {
    clock,
    history,
    candidacy,
    tick: () => candidacy.take({ ack() {} } as Delivery),
    /** The answer of the server to each message from now on. */
    answers(now: () => Promise<void>) {
      answer = now;
    },
  };
}

test("a candidate with ticks and confirms is active until five seconds without ticks", async () => {
  const { clock, history, candidacy, tick } = scene();
  await clock.advance(1_500);
  assert.deepEqual(history, []);
  tick();
  await clock.advance(10_000);
  assert.deepEqual(history, [
    [1_500, true],
    [6_500, false],
  ]);
  candidacy.close();
});

test("a candidate whose ticks are unconfirmed is no longer active, despite other ticks", async () => {
  const { clock, history, candidacy, tick, answers } = scene();
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
  candidacy.close();
});

test("a late confirm makes no candidate active", async () => {
  const { clock, history, candidacy, tick, answers } = scene();
  const late = Promise.withResolvers<void>();
  answers(() => late.promise);
  await clock.advance(8_000); // the tick of the first moment answered at once, that of the next second waits
  tick();
  late.resolve();
  answers(() => new Promise(() => {}));
  await clock.advance(100);
  assert.deepEqual(history, []);
  candidacy.close();
});

test("a candidate that closes or loses its channel learns it at once", async () => {
  for (const leave of ["lose", "close"] as const) {
    const { clock, history, candidacy, tick } = scene();
    tick();
    await clock.advance(1_000);
    candidacy[leave]();
    assert.deepEqual(history.at(-1), [1_000, false]);
    candidacy.close();
  }
});
