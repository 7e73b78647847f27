import assert from "node:assert/strict";
import { test } from "node:test";
import { HostWords } from "../../core/stream/plausible.ts";
import { steadyClock } from "./steady-clock.ts";

const minute = 60_000;
const noon = Date.UTC(2026, 0, 1, 12);

test("the clock stays at its latest time and at that of hosts", () => {
  let wall = noon;
  const clock = steadyClock({ now: () => wall }, () => {});
  assert.equal(clock.now(), noon);
  wall = noon - minute;
  assert.equal(clock.now(), noon);
  for (const host of ["dhcp1", "dhcp2"]) clock.observe(noon + minute, host);
  assert.equal(clock.now(), noon + minute);
  wall = noon + 2 * minute;
  assert.equal(clock.now(), wall);
});

test("reports of hosts move the clock by five minutes at most", () => {
  const clock = steadyClock({ now: () => noon }, () => {});
  for (let at = noon; at < noon + 24 * 60 * minute; at += minute) {
    for (const host of ["dhcp1", "dhcp2"]) clock.observe(at, host);
  }
  assert.equal(clock.now(), noon + 5 * minute);
});

test("a time ahead of the clock counts once two hosts report it", () => {
  const clock = steadyClock({ now: () => noon }, () => {});
  clock.observe(noon + 4 * minute, "liar");
  clock.observe(noon + 5 * minute, "liar");
  assert.equal(clock.now(), noon);
  clock.observe(noon + minute, "dhcp1"); // of a transcriber whose clock was a minute ahead
  assert.equal(clock.now(), noon + minute);
  clock.observe(noon + 5 * minute, "liar");
  assert.equal(clock.now(), noon + minute);
});

test("the one host of a network moves the clock alone", () => {
  const clock = steadyClock({ now: () => noon }, () => {}, new HostWords(true));
  clock.observe(noon + minute, "dhcp1");
  assert.equal(clock.now(), noon + minute);
});

test("a time far ahead is ignored and logged once", () => {
  const log: string[] = [];
  const clock = steadyClock({ now: () => noon }, (line) => log.push(line));
  for (const at of [noon + 23.9 * 60 * minute, 1e300]) clock.observe(at, "dhcp1");
  assert.equal(clock.now(), noon);
  assert.equal(log.length, 1);
  assert.match(log[0] ?? "", /^dhcp1 reports 2026-01-02T11:54:00.000Z, ahead of this clock: implausible/);
});

test("a clock set back by hours is followed and logged", () => {
  let wall = noon + 7 * 60 * minute;
  const log: string[] = [];
  const clock = steadyClock({ now: () => wall }, (line) => log.push(line));
  assert.equal(clock.now(), wall);
  wall = noon;
  assert.equal(clock.now(), noon);
  assert.match(log[0] ?? "", /^the clock was set back from 2026-01-01T19:00:00.000Z to 2026-01-01T12:00:00.000Z/);
});
