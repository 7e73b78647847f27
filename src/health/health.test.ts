import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../core/stream/report.ts";
import { believedFor, whoIsActive } from "./active.ts";
import { levels, networkLevel, serviceHealth, transcriberHealth } from "./health.ts";
import type { HostStatus } from "./host-status.ts";

const now = Date.UTC(2026, 10, 22);
const host = {
  ...{ host: "a", here: true, up: true, at: now, trouble: undefined, services: {}, transcriber: undefined },
  ...{ said: undefined, since: now - 3_600_000 },
};
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
  const person = { ...found, held: "by a person: a move", heldBy: "person" as const };
  assert.equal(serviceHealth("dhcp", person, host, now).says, "held: by a person: a move");
});

test("a table of which a row is held waits for a person, and says how many", () => {
  assert.deepEqual(serviceHealth("dhcp", { ...well, refusedCount: 3, heldCount: 1, inTheWay: "0badcafe" }, host, now), {
    level: levels.late,
    says: "held: 1 of its rows, 2 refused: `trigger adopt dhcp NAME`, or `trigger approve dhcp 0badcafe` for all",
  });
});

test("what was said under a clock that was a year ahead is not new for a year", () => {
  const year = 365 * 24 * 3_600_000;
  const strangers = { count: 2, why: "it is not signed", at: now + year };
  assert.equal(serviceHealth("dhcp", { ...well, strangers }, host, now).says, "well");
  const elsewhere = { ...host, here: false, up: undefined, at: now + year };
  assert.equal(serviceHealth("dhcp", well, elsewhere, now).says, "no report for minutes");
  const said = { active: true, epoch: 7, complete: true, heard: now + year };
  assert.deepEqual(whoIsActive([{ ...elsewhere, said } as HostStatus], now, believedFor({})).silent, ["a"]);
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

const elsewhere: HostStatus = { ...host, here: false, up: undefined, since: undefined };

test("a transcriber elsewhere of a version that does not say how it is is well while it reports", () => {
  const active = { host: undefined, nobody: false, silent: [] };
  assert.deepEqual(transcriberHealth(elsewhere, now + 60_000, active), { level: levels.well, says: "it reports" });
  const silent = { level: levels.late, says: "no report for minutes" };
  assert.deepEqual(transcriberHealth(elsewhere, now + 200_000, active), silent);
  assert.equal(
    networkLevel([elsewhere], () => true, now + 200_000, active),
    levels.late,
  );
});

const state = { complete: true, trouble: undefined, troubleSince: undefined, entries: 1, services: {} };
const standby: HostStatus = { ...host, host: "genet", transcriber: { ...state, active: false, epoch: undefined } };
const reports = (
  name: string,
  epoch: number | undefined,
  { ago = 1_000, ...more }: { ago?: number; trouble?: string } = {},
): HostStatus => ({
  ...elsewhere,
  host: name,
  at: now - ago,
  said: { active: epoch !== undefined, epoch, complete: true, heard: now - ago, ...more },
});
const believed = believedFor({});

/** What status says of each. */
function says(...hosts: HostStatus[]): Record<string, string> {
  const active = whoIsActive(hosts, now, believed);
  return Object.fromEntries(hosts.map((one) => [one.host, transcriberHealth(one, now, active).says]));
}

test("on a standby's machine status names the active transcriber, wherever it is", () => {
  assert.deepEqual(says(standby, reports("civet", 7)), { genet: "stands by", civet: "active" });
  const here = { ...standby, transcriber: { ...state, active: true, epoch: 8 } };
  assert.deepEqual(says(here, reports("civet", undefined)), { genet: "active", civet: "stands by" });
  assert.deepEqual(says(standby, reports("civet", 7), reports("lynx", undefined)), {
    ...{ genet: "stands by", civet: "active", lynx: "stands by" },
  });
});

test("of two transcribers that say that they are active the one in the higher epoch is", () => {
  const here = { ...standby, transcriber: { ...state, active: true, epoch: 8 } };
  assert.deepEqual(says(here, reports("civet", 7, { ago: 20_000 })), {
    ...{ genet: "active", civet: "was active, until genet was" },
  });
  assert.deepEqual(says(here, reports("civet", 9)), { genet: "was active, until civet was", civet: "active" });
  assert.deepEqual(says(standby, reports("civet", 7), reports("lynx", 9)), {
    ...{ genet: "stands by", civet: "was active, until lynx was", lynx: "active" },
  });
});

test("a standby says that none is active when the active one has been silent for longer than a takeover takes", () => {
  const soon = says(standby, reports("civet", 7, { ago: believed }));
  assert.deepEqual(soon, { genet: "stands by", civet: "active" });
  const late = says(standby, reports("civet", 7, { ago: believed + 1 }));
  assert.deepEqual(late, { genet: "late: no transcriber is active", civet: "was active; no report for 35 s" });
  assert.equal(says(standby, reports("civet", undefined)).genet, "late: no transcriber is active");
  assert.equal(says(standby).genet, "late: no transcriber is active");
  const slow = believedFor({ broker: { heartbeat: 10 } });
  assert.equal(whoIsActive([standby, reports("civet", 7, { ago: believed + 1 })], now, slow).host, "civet");
});

test("a standby that cannot know says nothing of others: it has just started, is cut off, or they are of an older version", () => {
  const silent = reports("civet", 7, { ago: believed + 1 });
  assert.equal(says({ ...standby, since: now - believed }, silent).genet, "stands by");
  assert.equal(says({ ...standby, trouble: "not connected" }, silent).genet, "stands by");
  assert.equal(says(standby, { ...silent, said: undefined }).genet, "stands by");
  const unheard = { ...elsewhere, host: "lynx", at: undefined };
  assert.equal(says({ ...standby, since: now - 60_000 }, silent, unheard).genet, "stands by");
  assert.equal(says(standby, silent, unheard).genet, "late: no transcriber is active");
});

test("a transcriber that cannot read the directory fails, wherever it is, and says when no other is active", () => {
  const civet = reports("civet", 7, { trouble: "ldaps://h: refused" });
  assert.equal(transcriberHealth(civet, now, whoIsActive([civet], now, believed)).level, levels.failing);
  assert.equal(says(civet).civet, "the directory: ldaps://h: refused");
  const reading = { ...standby, transcriber: { ...state, active: false, epoch: undefined, complete: false } };
  assert.equal(says(reading).genet, "reads the directory; no transcriber is active");
  assert.equal(says(reading, reports("civet", 7)).genet, "reads the directory");
});
