import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { laterSerial, latestSerial, nextSerial, serialIn } from "./zone-serial.ts";

const serials = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const days = fc.date({ min: new Date("2000-01-01Z"), max: new Date("2199-01-01Z"), noInvalidDate: true });

test("the next serial comes after the one used, on any day", () => {
  fc.assert(
    fc.property(serials, days, fc.constantFrom("date" as const, "increment" as const), (used, today, style) => {
      const next = nextSerial(used, today, style);
      assert.ok(laterSerial(next, used));
      assert.ok(Number.isInteger(next) && next > 0 && next < 2 ** 32);
    }),
  );
});

test("a hundred changes in a day go on into the next day's serials", () => {
  assert.equal(nextSerial(2026112299, new Date("2026-11-22T23:00:00Z"), "date"), 2026112300);
  assert.equal(nextSerial(2026112300, new Date("2026-11-23T00:00:00Z"), "date"), 2026112301);
});

test("serials compare by RFC 1982, around the largest number too", () => {
  assert.equal(laterSerial(1, 4294967295), true);
  assert.equal(laterSerial(4294967295, 1), false);
  assert.equal(laterSerial(7, 7), false);
  assert.equal(latestSerial(4294967295, undefined, 3), 3);
  assert.equal(latestSerial(undefined), undefined);
});

test("the serial is found in any layout of a zone", () => {
  assert.equal(serialIn("@ IN SOA ns. root. 17 1 2 3 4"), 17);
  assert.equal(serialIn("@ 3600 IN soa ns. root. ( ; SOA a b 99\n\t17 ; serial 18\n 1 2 3 4 )"), 17);
  assert.equal(serialIn("@ IN NS ns."), undefined);
});
