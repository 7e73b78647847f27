import assert from "node:assert/strict";
import { test } from "node:test";
import { steadyClock } from "./steady-clock.ts";

const minute = 60_000;

test("time does not go back: not with the clock, and not behind what hosts have heard", () => {
  let wall = Date.UTC(2026, 0, 1);
  const start = wall;
  const clock = steadyClock({ now: () => wall }, () => {});
  wall -= 5 * minute;
  assert.equal(clock.now(), wall);
  wall = start;
  assert.equal(clock.now(), start);
  wall -= minute;
  assert.equal(clock.now(), start);
  clock.hear(start + minute, "dhcp1");
  assert.equal(clock.now(), start + minute);
  wall = start + 2 * minute;
  assert.equal(clock.now(), wall);
});

test("what a host says of a far future is said once and not believed", () => {
  const wall = Date.UTC(2026, 0, 1);
  const log: string[] = [];
  const clock = steadyClock({ now: () => wall }, (line) => log.push(line));
  for (const at of [Date.UTC(2099, 0, 1), 1e300]) clock.hear(at, "dhcp1");
  assert.equal(clock.now(), wall);
  assert.deepEqual(log, ["dhcp1 heard of 2099-01-01T00:00:00.000Z, ahead of this clock: it is not believed"]);
});
