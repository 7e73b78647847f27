import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../core/stream/report.ts";
import { levels } from "./health.ts";
import { sayHealth } from "./say-health.ts";
import { serviceHealth } from "./service-health.ts";

const now = Date.UTC(2026, 10, 22);
const host = {
  ...{ host: "a", here: true, up: true, at: now, trouble: undefined, services: {}, transcriber: undefined },
  ...{ transcriberReport: undefined, since: now - 3_600_000 },
};
const well: ServiceReport = {
  ...{ code: "c", form: "table", rows: 2, doubt: false, serving: false, pending: 0, failing: false },
  ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
  equal: { epoch: 1, seq: 0, asOf: { state: [], clock: now } },
};
const health = (more: Partial<ServiceReport>) => serviceHealth("dhcp", { ...well, ...more }, host, now);
/** The health of a report in one line, with the minutes since its beginning. */
const says = (more: Partial<ServiceReport>): string => sayHealth(health(more), (at) => `${(now - at) / 60_000} min`);

test("a table with some refused rows is well, with their number", () => {
  assert.deepEqual(health({ refusedCount: 3 }), { level: levels.well, state: "well, 3 refused" });
});

test("a hold for a conflict is approved by its digest", () => {
  const found = { held: "/etc/x is there", conflict: "0badcafe" };
  assert.equal(says(found), "held: /etc/x is there; `trigger diff dhcp`, then `trigger approve dhcp 0badcafe`");
  assert.equal(health(found).level, levels.late);
});

test("a hold by a person is approved without a digest", () => {
  const person = { held: "by a person: a move", conflict: "0badcafe", heldBy: "person" as const };
  assert.equal(says(person), "held: by a person: a move; `trigger approve dhcp`");
});

test("a table with held rows waits for a person, with their number", () => {
  const found = { refusedCount: 3, heldCount: 1, conflict: "0badcafe" };
  const line = "held: 1 of its rows, 2 refused; `trigger adopt dhcp NAME`, or `trigger approve dhcp 0badcafe` for all";
  assert.equal(says(found), line);
  assert.equal(health(found).level, levels.late);
});

test("a date of a clock a year ahead does not count as new", () => {
  const year = 365 * 24 * 3_600_000;
  assert.equal(says({ untrusted: { count: 2, why: "it is not signed", at: now + year } }), "well");
  const elsewhere = { ...host, here: false, up: undefined, at: now + year };
  assert.equal(serviceHealth("dhcp", well, elsewhere, now).state, "no report");
});

test("a service that fails is failing, also while removals wait to be approved", () => {
  const removals = { digest: "3298569f", rows: 51 };
  const failing = { removals, failing: true, pending: 1, why: "REFUSED\nat line 3" };
  assert.equal(health(failing).level, levels.failing);
  assert.equal(says(failing), "failing: REFUSED");
  assert.match(says({ removals }), /^held: 51 rows would be removed; .* 3298569f`$/);
});

test("a table with every row refused is not well", () => {
  assert.equal(says({ rows: 0, refusedCount: 3 }), "no rows: 3 refused");
  assert.equal(health({ rows: 0, refusedCount: 3 }).level, levels.late);
});

test("an empty table is well", () => {
  assert.equal(health({ rows: 0 }).level, levels.well);
});

test("removals that wait are late since the earliest, with the commands to type", () => {
  const row = (key: string, minutes: number, by: "removals" | "check") => {
    return { key, by, why: "", since: now - minutes * 60_000, retained: true };
  };
  const refused = [row("a", 2, "removals"), row("b", 5, "removals"), row("c", 90, "check")];
  const removals = { digest: "0badcafe", rows: 2 };
  const type = "`trigger diff dhcp`, then `trigger approve dhcp 0badcafe`";
  assert.equal(says({ removals, refused, refusedCount: 3 }), `held: 2 rows would be removed (since 5 min); ${type}`);
  assert.equal(health({ removals, refused, refusedCount: 3 }).level, levels.late);
  const first = { removals: { ...removals, rows: 300 }, refused, refusedCount: 300 };
  assert.equal(says(first), `held: 300 rows would be removed; ${type}`);
});

test("parked messages are late since the earliest, with the command to type", () => {
  const parked = [9, 4].map((minutes, id) => ({ id, why: "", since: now - minutes * 60_000 }));
  assert.equal(says({ parked, parkedCount: 2 }), "2 parked since 9 min; `trigger retry dhcp`");
});

test("a table that was not compared for minutes shows since when", () => {
  const equal = { epoch: 1, seq: 0, asOf: { state: [], clock: now - 9 * 60_000 } };
  assert.equal(says({ equal }), "not compared since 9 min");
  assert.equal(health({ equal }).level, levels.late);
});

test("untrusted messages are shown for an hour, with the reason", () => {
  const untrusted = { count: 2, why: "it is not signed", at: now };
  assert.equal(says({ untrusted }), "2 untrusted messages rejected: it is not signed");
  assert.equal(
    says({ untrusted: { ...untrusted, at: now - 59 * 60_000, count: 1 } }).split(":")[0],
    "1 untrusted message rejected",
  );
  assert.equal(says({ untrusted: { ...untrusted, at: now - 60 * 60_000 } }), "well");
});
