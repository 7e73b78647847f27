import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { systemClock } from "./clock.ts";

test("a sleep lasts at least its time", async () => {
  const start = systemClock.monotonic();
  await systemClock.sleep(30);
  assert.ok(systemClock.monotonic() - start >= 30);
});

test("a sleep ends early, without an error, when its signal aborts", async () => {
  const controller = new AbortController();
  const asleep = systemClock.sleep(3_600_000, controller.signal);
  controller.abort();
  await asleep;
  await systemClock.sleep(3_600_000, controller.signal);
});

test("a sleep of 90 days does not overflow Node's timer and end at once", async () => {
  const controller = new AbortController();
  let ended = false;
  const asleep = systemClock.sleep(90 * 86_400_000, controller.signal).then(() => {
    ended = true;
  });
  await systemClock.sleep(20);
  assert.equal(ended, false);
  controller.abort();
  await asleep;
});

test("a sleep that is over leaves no listener on its signal", async () => {
  const { signal } = new AbortController();
  await systemClock.sleep(1, signal);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
