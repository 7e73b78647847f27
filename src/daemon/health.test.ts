import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../core/report.ts";
import { levels, serviceHealth } from "./health.ts";

const now = Date.UTC(2026, 10, 22);
const host = { host: "a", here: true, up: true, at: now, trouble: undefined, services: {}, transcriber: undefined };
const well: ServiceReport = {
  ...{ code: "c", form: "table", rows: 2, doubt: false, proved: false, owed: 0, failing: false },
  ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
  equal: { epoch: 1, seq: 0, asOf: { state: [], clock: now } },
};

test("a table of which some rows are refused is well, and says how many", () => {
  assert.deepEqual(serviceHealth({ ...well, refusedCount: 3 }, host, now), {
    level: levels.well,
    says: "well, 3 refused",
  });
});

test("a table of which a row is held waits for a person, and says how many", () => {
  assert.deepEqual(serviceHealth({ ...well, refusedCount: 3, heldCount: 1 }, host, now), {
    level: levels.late,
    says: "held: 1 of its rows, 2 refused",
  });
});

test("a service that fails is failing, also while removals wait to be approved", () => {
  const removals = { digest: "3298569f", rows: 51 };
  const failing = { ...well, removals, failing: true, owed: 1, why: "REFUSED" };
  assert.deepEqual(serviceHealth(failing, host, now), { level: levels.failing, says: "failing: REFUSED" });
  assert.match(serviceHealth({ ...well, removals }, host, now).says, /held: 51 rows would go: .* 3298569f/);
});

test("a table of which every row is refused is not well", () => {
  const health = serviceHealth({ ...well, rows: 0, refusedCount: 3 }, host, now);
  assert.deepEqual(health, { level: levels.late, says: "no row at all: 3 refused" });
});

test("an empty table is well", () => {
  assert.equal(serviceHealth({ ...well, rows: 0 }, host, now).level, levels.well);
});
