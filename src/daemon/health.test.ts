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
  assert.deepEqual(serviceHealth("dhcp", { ...well, refusedCount: 3 }, host, now), {
    level: levels.well,
    says: "well, 3 refused",
  });
});

test("rows that something of somebody else's keeps out are late, with the words to type", () => {
  assert.deepEqual(serviceHealth("dhcp", { ...well, refusedCount: 3, heldCount: 2 }, host, now), {
    level: levels.late,
    says: "2 held: `trigger adopt dhcp NAME`, or `trigger approve dhcp` for all",
  });
});

test("a table of which every row is refused is not well", () => {
  const health = serviceHealth("dhcp", { ...well, rows: 0, refusedCount: 3 }, host, now);
  assert.deepEqual(health, { level: levels.late, says: "no row at all: 3 refused" });
});

test("an empty table is well", () => {
  assert.equal(serviceHealth("dhcp", { ...well, rows: 0 }, host, now).level, levels.well);
});

test("removals that wait are late, with the words to type", () => {
  const { level, says } = serviceHealth("dhcp", { ...well, removals: { digest: "0badcafe", rows: 300 } }, host, now);
  assert.equal(level, levels.late);
  assert.equal(says, "held: 300 rows would go: `trigger diff dhcp`, then `trigger approve dhcp 0badcafe`");
});
