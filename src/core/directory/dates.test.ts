import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readDate } from "./dates.ts";

const read = (text: string, timezone = "UTC"): string => readDate(text, timezone).toISOString();

test("generalized time is read in all its forms", () => {
  assert.equal(read("20261122102000Z"), "2026-11-22T10:20:00.000Z");
  assert.equal(read("20261122102000.25Z"), "2026-11-22T10:20:00.250Z");
  assert.equal(read("202611221020,5Z"), "2026-11-22T10:20:30.000Z");
  assert.equal(read("2026112210.5Z"), "2026-11-22T10:30:00.000Z");
  assert.equal(read("2026112210+0130"), "2026-11-22T08:30:00.000Z");
  assert.equal(read("20261122102000-05"), "2026-11-22T15:20:00.000Z");
  assert.equal(read("20161231235960Z"), "2017-01-01T00:00:00.000Z");
});

test("ISO 8601 dates and times are read", () => {
  assert.equal(read("2026-12-31"), "2026-12-31T00:00:00.000Z");
  assert.equal(read("20261231"), "2026-12-31T00:00:00.000Z");
  assert.equal(read("2026-12-31T18:00"), "2026-12-31T18:00:00.000Z");
  assert.equal(read("2026-12-31T18:00:01.5Z"), "2026-12-31T18:00:01.500Z");
  assert.equal(read("2026-12-31T18:00+01:00"), "2026-12-31T17:00:00.000Z");
  assert.equal(read("2024-02-29"), "2024-02-29T00:00:00.000Z");
  assert.equal(read("0050-01-01"), "0050-01-01T00:00:00.000Z");
});

test("a date without a zone is read in the configured zone, summer and winter", () => {
  assert.equal(read("2026-12-31T18:00", "Europe/Paris"), "2026-12-31T17:00:00.000Z");
  assert.equal(read("2026-07-14", "Europe/Paris"), "2026-07-13T22:00:00.000Z");
  assert.equal(read("20260714120000", "America/New_York"), "2026-07-14T16:00:00.000Z");
  assert.equal(read("20260714120000Z", "America/New_York"), "2026-07-14T12:00:00.000Z");
  assert.equal(read("2026-07-14", "Pacific/Kiritimati"), "2026-07-13T10:00:00.000Z");
  assert.equal(read("0001-01-01", "America/New_York").slice(0, 10), "0001-01-01");
});

test("a skipped hour is read as before the jump, a repeated as the first", () => {
  assert.equal(read("2026-03-29T01:59", "Europe/Paris"), "2026-03-29T00:59:00.000Z");
  assert.equal(read("2026-03-29T02:30", "Europe/Paris"), "2026-03-29T01:30:00.000Z");
  assert.equal(read("2026-03-29T03:30", "Europe/Paris"), "2026-03-29T01:30:00.000Z");
  assert.equal(read("2026-10-25T02:30", "Europe/Paris"), "2026-10-25T00:30:00.000Z");
  assert.equal(read("2026-10-25T03:00", "Europe/Paris"), "2026-10-25T02:00:00.000Z");
  assert.equal(read("2026-03-08T02:30", "America/New_York"), "2026-03-08T07:30:00.000Z");
  assert.equal(read("2026-11-01T01:30", "America/New_York"), "2026-11-01T05:30:00.000Z");
  assert.equal(read("2026-04-05T01:45", "Australia/Lord_Howe"), "2026-04-04T14:45:00.000Z");
});

test("an invalid date throws, naming the value", () => {
  const wrong = [
    ...["", "soon", "20260230000000Z", "20260015000000Z", "20261301", "2026-02-30", "2026-1-1", "20261122242000Z"],
    ...[
      "2026-12-31T25:00",
      "2026-12-31T",
      "2026-12-31 18:00",
      "20261122102061Z",
      "20261122100000+2400",
      "1764000000000",
    ],
    ...["20261122102000Z ", "-20261122102000Z", "2026-12-31T18:00+1:00", "20261122102000z", "00000000000000Z"],
  ];
  for (const text of wrong) {
    assert.throws(
      () => readDate(text, "UTC"),
      (error: Error) => error.message.startsWith(`${JSON.stringify(text)} is not a date: `),
      text,
    );
  }
});

test("a date outside skipped hours shows the same wall clock in its zone", () => {
  const zones = ["Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"];
  const instants = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2035, 0) });
  fc.assert(
    fc.property(instants, fc.constantFrom(...zones), (instant, timeZone) => {
      const wall = new Date(Math.floor(instant / 1000) * 1000).toLocaleString("sv-SE", { timeZone }).replace(" ", "T");
      assert.equal(readDate(wall, timeZone).toLocaleString("sv-SE", { timeZone }).replace(" ", "T"), wall);
    }),
  );
});
