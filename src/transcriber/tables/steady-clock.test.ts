import assert from "node:assert/strict";
import { test } from "node:test";
import { steadyClock } from "./steady-clock.ts";

const minute = 60_000;
const noon = Date.UTC(2026, 0, 1, 12);

test("time does not go back a little: not with the clock, and not behind what hosts have heard", () => {
  let wall = noon;
  const clock = steadyClock({ now: () => wall }, () => {});
  assert.equal(clock.now(), noon);
  wall = noon - minute;
  assert.equal(clock.now(), noon);
  clock.hear(noon + minute, "dhcp1");
  assert.equal(clock.now(), noon + minute);
  wall = noon + 2 * minute;
  assert.equal(clock.now(), wall);
});

test("hosts that say a time again and again move the clock by five minutes at most", () => {
  const clock = steadyClock({ now: () => noon }, () => {});
  for (let said = noon; said < noon + 24 * 60 * minute; said += minute) clock.hear(said, "dhcp1");
  assert.equal(clock.now(), noon + 5 * minute);
});

test("what a host says of a time ahead is said once and not believed", () => {
  const log: string[] = [];
  const clock = steadyClock({ now: () => noon }, (line) => log.push(line));
  for (const at of [noon + 23.9 * 60 * minute, 1e300]) clock.hear(at, "dhcp1");
  assert.equal(clock.now(), noon);
  assert.equal(log.length, 1);
  assert.match(log[0] ?? "", /^dhcp1 heard of 2026-01-02T11:54:00.000Z, ahead of this clock: it is not believed/);
});

test("a clock that was ahead by hours and is put right is followed, and said", () => {
  let wall = noon + 7 * 60 * minute;
  const log: string[] = [];
  const clock = steadyClock({ now: () => wall }, (line) => log.push(line));
  assert.equal(clock.now(), wall);
  wall = noon;
  assert.equal(clock.now(), noon);
  assert.match(log[0] ?? "", /^the clock was set back from 2026-01-01T19:00:00.000Z to 2026-01-01T12:00:00.000Z/);
});
