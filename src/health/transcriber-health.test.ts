import assert from "node:assert/strict";
import { test } from "node:test";
import { silenceLimit, whoIsActive } from "./active.ts";
import { levels } from "./health.ts";
import type { HostStatus } from "./host-status.ts";
import { networkHealth } from "./network-health.ts";
import { sayHealth } from "./say-health.ts";
import { transcriberHealth, unfinishedEntries } from "./transcriber-health.ts";

const now = Date.UTC(2026, 10, 22);
const host = {
  ...{ host: "a", here: true, up: true, at: now, trouble: undefined, services: {}, transcriber: undefined },
  ...{ transcriberReport: undefined, since: now - 3_600_000 },
};
const elsewhere: HostStatus = { ...host, here: false, up: undefined, since: undefined };

test("a transcriber elsewhere without a state is well while its host reports", () => {
  const active = { host: undefined, none: false, silent: [] };
  assert.deepEqual(transcriberHealth(elsewhere, now + 60_000, active), { level: levels.well, state: "it reports" });
  const silent = { level: levels.late, state: "no report", since: now };
  assert.deepEqual(transcriberHealth(elsewhere, now + 200_000, active), silent);
  const known = { transcribers: ["a"], silenceLimit: limit, now: now + 200_000 };
  assert.equal(networkHealth([elsewhere], known).level, levels.late);
});

test("a host without a report is late, with the place to ask", () => {
  const far: HostStatus = { ...elsewhere, host: "far", at: undefined };
  const known = { transcribers: ["civet", "genet"], silenceLimit: limit, now };
  const { level, hosts } = networkHealth([far, standby, reports("civet", 7)], known);
  assert.equal(level, levels.late);
  assert.deepEqual(hosts[0]?.unknown, { level: levels.late, state: "no report here", remedy: "ask on civet" });
  assert.equal(hosts[1]?.unknown, undefined);
});

test("a network is as bad as its worst host, or late without a broker", () => {
  const level = (...hosts: HostStatus[]) =>
    networkHealth(hosts, { transcribers: ["civet"], silenceLimit: limit, now }).level;
  assert.equal(level(reports("civet", 7), host), levels.well);
  assert.equal(level(reports("civet", 7), { ...host, trouble: "not connected" }), levels.late);
  assert.equal(level(reports("civet", 7, { trouble: "no directory" }), host), levels.failing);
});

test("a date of a clock that was a year ahead makes no transcriber active", () => {
  const year = 365 * 24 * 3_600_000;
  assert.deepEqual(whoIsActive([reports("a", 7, { ago: -year })], now, limit).silent, ["a"]);
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
  transcriberReport: { active: epoch !== undefined, epoch, complete: true, heard: now - ago, ...more },
});
const limit = silenceLimit({});

/** The health of each transcriber in one line. */
function says(...hosts: HostStatus[]): Record<string, string> {
  const active = whoIsActive(hosts, now, limit);
  const line = (one: HostStatus): string =>
    sayHealth(transcriberHealth(one, now, active), (at) => `${(now - at) / 1000} s`);
  return Object.fromEntries(hosts.map((one) => [one.host, line(one)]));
}

test("on a standby's machine status names the active transcriber, wherever it is", () => {
  assert.deepEqual(says(standby, reports("civet", 7)), { genet: "standby", civet: "active" });
  const here = { ...standby, transcriber: { ...state, active: true, epoch: 8 } };
  assert.deepEqual(says(here, reports("civet", undefined)), { genet: "active", civet: "standby" });
  assert.deepEqual(says(standby, reports("civet", 7), reports("lynx", undefined)), {
    ...{ genet: "standby", civet: "active", lynx: "standby" },
  });
});

test("of two transcribers that call themselves active the one in the higher epoch is", () => {
  const here = { ...standby, transcriber: { ...state, active: true, epoch: 8 } };
  assert.deepEqual(says(here, reports("civet", 7, { ago: 20_000 })), {
    ...{ genet: "active", civet: "superseded by genet" },
  });
  assert.deepEqual(says(here, reports("civet", 9)), { genet: "superseded by civet", civet: "active" });
  assert.deepEqual(says(standby, reports("civet", 7), reports("lynx", 9)), {
    ...{ genet: "standby", civet: "superseded by lynx", lynx: "active" },
  });
});

test("a standby reports a missing active transcriber once a takeover is overdue", () => {
  const soon = says(standby, reports("civet", 7, { ago: limit }));
  assert.deepEqual(soon, { genet: "standby", civet: "active" });
  const late = says(standby, reports("civet", 7, { ago: limit + 1 }));
  assert.deepEqual(late, { genet: "late: no transcriber is active", civet: "was active; no report since 35.001 s" });
  assert.equal(says(standby, reports("civet", undefined)).genet, "late: no transcriber is active");
  assert.equal(says(standby).genet, "late: no transcriber is active");
  const slow = silenceLimit({ broker: { heartbeat: 10 } });
  assert.equal(whoIsActive([standby, reports("civet", 7, { ago: limit + 1 })], now, slow).host, "civet");
});

test("a standby without enough knowledge reports nothing of the others", () => {
  const silent = reports("civet", 7, { ago: limit + 1 });
  assert.equal(says({ ...standby, since: now - limit }, silent).genet, "standby");
  assert.equal(says({ ...standby, trouble: "not connected" }, silent).genet, "standby");
  assert.equal(says(standby, { ...silent, transcriberReport: undefined }).genet, "standby");
  const unheard = { ...elsewhere, host: "lynx", at: undefined };
  assert.equal(says({ ...standby, since: now - 60_000 }, silent, unheard).genet, "standby");
  assert.equal(says(standby, silent, unheard).genet, "late: no transcriber is active");
});

test("a transcriber that cannot read the directory is failing, wherever it is", () => {
  const civet = reports("civet", 7, { trouble: "ldaps://h: refused" });
  assert.equal(transcriberHealth(civet, now, whoIsActive([civet], now, limit)).level, levels.failing);
  assert.equal(says(civet).civet, "the directory: ldaps://h: refused");
  const reading = { ...standby, transcriber: { ...state, active: false, epoch: undefined, complete: false } };
  assert.equal(says(reading).genet, "reads the directory; no transcriber is active");
  assert.equal(says(reading, reports("civet", 7)).genet, "reads the directory");
});

test("an endless select makes its transcriber late, with the remedy", () => {
  const first = [{ dn: "cn=odd,dc=x", since: now - 60_000 }];
  const dns = { rows: 3, refused: 1, code: "c", behind: false, unfinished: { count: 2, first } };
  const civet = { ...state, active: true, epoch: 7, services: { dns } };
  const active = { host: "a", none: false, silent: [] };
  const health = transcriberHealth({ ...host, transcriber: civet }, now, active);
  assert.deepEqual(health, { level: levels.late, state: "active; select does not end for 2 entries" });
  const [one, more] = unfinishedEntries(civet, (at) => new Date(at).toISOString());
  assert.match(
    one ?? "",
    /^dns: select does not end in time for cn=odd,dc=x since 2026-11-21T23:59:00.000Z, so its rows stay .*: change/,
  );
  assert.equal(more, "dns: and 1 more such entries");
});
