import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../core/report.ts";
import { levels, networkLevel, serviceHealth, transcriberHealth } from "./health.ts";

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

test("what stands in the way is approved by its digest, and what a person holds by none", () => {
  const found = { ...well, held: "/etc/x is there", inTheWay: "0badcafe" };
  const says = "held: /etc/x is there; `trigger diff dhcp`, then `trigger approve dhcp 0badcafe`";
  assert.deepEqual(serviceHealth("dhcp", found, host, now), { level: levels.late, says });
  const person = { ...found, held: "by a person: a move" };
  assert.equal(serviceHealth("dhcp", person, host, now).says, "held: by a person: a move");
});

test("a table of which a row is held waits for a person, and says how many", () => {
  assert.deepEqual(serviceHealth("dhcp", { ...well, refusedCount: 3, heldCount: 1, inTheWay: "0badcafe" }, host, now), {
    level: levels.late,
    says: "held: 1 of its rows, 2 refused: `trigger adopt dhcp NAME`, or `trigger approve dhcp 0badcafe` for all",
  });
});

test("a service that fails is failing, also while removals wait to be approved", () => {
  const removals = { digest: "3298569f", rows: 51 };
  const failing = { ...well, removals, failing: true, owed: 1, why: "REFUSED" };
  assert.deepEqual(serviceHealth("dhcp", failing, host, now), { level: levels.failing, says: "failing: REFUSED" });
  assert.match(serviceHealth("dhcp", { ...well, removals }, host, now).says, /held: 51 rows would go: .* 3298569f/);
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

test("a table that strangers spoke of is late for an hour, and says why they were refused", () => {
  const strangers = { count: 2, why: "it is not signed", at: now };
  const soon = serviceHealth("dhcp", { ...well, strangers }, host, now + 1_000);
  assert.deepEqual(soon, { level: levels.late, says: "2 of strangers refused: it is not signed" });
  const equal = { epoch: 1, seq: 0, asOf: { state: [], clock: now + 3_600_000 } };
  const late = serviceHealth("dhcp", { ...well, equal, strangers }, { ...host, at: now + 3_600_000 }, now + 3_600_000);
  assert.equal(late.level, levels.well);
});

test("a transcriber elsewhere is well while it reports, and late when it has been silent for minutes", () => {
  const elsewhere = { ...host, here: false, up: undefined };
  assert.deepEqual(transcriberHealth(elsewhere, now + 60_000), { level: levels.well, says: "it reports" });
  const silent = { level: levels.late, says: "no report for minutes" };
  assert.deepEqual(transcriberHealth(elsewhere, now + 200_000), silent);
  const level = networkLevel([elsewhere], () => true, now + 200_000);
  assert.equal(level, levels.late);
});
