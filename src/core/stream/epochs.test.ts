import assert from "node:assert/strict";
import { test } from "node:test";
import { hearEpoch, hearRefusal, type Lead, lookAgain, patience, patientUntil, silent } from "./epochs.ts";

const stateOf = (second: number, server = "001") => `2026112210200${second}.000000Z#000000#${server}#000000`;
const state = (second: number) => [stateOf(second)];
const lead: Lead = { ...silent, epoch: 7, heard: 7 };
const refusal = (because: "epoch" | "asOf", epoch: number, second = 5, refused = 7) => ({
  ...{ host: "a", service: "dhcp" },
  because,
  epoch,
  refused,
  asOf: { state: state(second), clock: 0 },
});
/** The claim of a host to a directory state, heard at a moment while the mirror is at second 3. */
const claimed = (before: Lead, host: string, held: readonly string[], now: number, service = "dhcp"): Lead =>
  hearRefusal(before, { ...refusal("asOf", 7), host, service, asOf: { state: held, clock: 0 } }, state(3), now).lead;
const rolledBack = (of: Lead, mirror: readonly string[], now: number, readSince?: number) => [
  ...lookAgain(of, mirror, now, readSince).rolledBack,
];

test("a host that holds a higher epoch is answered by one that is higher still", () => {
  const { lead: heard, act } = hearRefusal(lead, refusal("epoch", 9), state(5), 0);
  assert.deepEqual({ heard, act }, { heard: { ...lead, heard: 9 }, act: "epoch" });
});

test("an epoch of a host that is higher is answered without a refusal, and any other is not", () => {
  assert.deepEqual(hearEpoch(lead, 9), { lead: { ...lead, heard: 9 }, act: "epoch" });
  for (const epoch of [7, 3]) assert.deepEqual(hearEpoch(lead, epoch), { lead });
});

test("a refusal that is answered already makes no epoch", () => {
  assert.equal(hearRefusal(lead, refusal("epoch", 6, 5, 3), state(5), 0).act, undefined);
  assert.equal(hearRefusal(lead, refusal("asOf", 6, 9, 6), state(5), 0).lead.claims.size, 0);
});

test("a mirror that is behind a host is waited for, and tells that host when it has come", () => {
  const waiting = claimed(lead, "a", state(5), 1000);
  assert.deepEqual(lookAgain(waiting, state(4), 2000), { lead: waiting, reached: [], rolledBack: new Set() });
  const judged = lookAgain(waiting, state(5), 3000);
  assert.deepEqual([judged.lead, judged.rolledBack.size], [lead, 0]);
  assert.deepEqual(
    judged.reached.map(({ host, service }) => [host, service]),
    [["a", "dhcp"]],
  );
});

test("a mirror that has come before the refusal was heard speaks at once", () => {
  assert.equal(hearRefusal(lead, refusal("asOf", 7, 5), state(6), 0).act, "digest");
});

test("a directory that still stands behind after a minute was rolled back", () => {
  const waiting = claimed(lead, "a", state(5), 1000);
  assert.equal(patientUntil(waiting, 0), 1000 + patience);
  assert.deepEqual(rolledBack(waiting, state(4), 999 + patience), []);
  assert.deepEqual(rolledBack(waiting, state(4), 1000 + patience), ["a"]);
});

test("refusals that are repeated do not put the minute off", () => {
  const repeated = claimed(claimed(lead, "a", state(5), 0), "a", state(6), 50_000);
  assert.deepEqual(rolledBack(repeated, state(5), patience), ["a"]);
});

test("what a host holds of one service hides nothing of another, and one decides for all", () => {
  const two = claimed(claimed(lead, "a", state(6), 0, "dhcp"), "a", state(4), 55_000, "dns");
  const judged = lookAgain(two, state(5), patience);
  assert.deepEqual(
    judged.reached.map(({ service }) => service),
    ["dns"],
  );
  assert.deepEqual([...judged.rolledBack], ["a"]);
  assert.deepEqual(lookAgain(two, state(3), patience), { lead, reached: [], rolledBack: new Set(["a"]) });
});

test("what one host claims neither ends nor begins the minute of another", () => {
  let now = 1000;
  let both = claimed(lead, "honest", state(6), now);
  // Its claims are of a server of its own: each move of the mirror ends them, and each moment they are newer.
  for (let writes = 1; writes < 9; writes++) {
    now += 7000;
    both = claimed(both, "liar", [stateOf(3), stateOf(writes, "002")], now);
    both = lookAgain(both, [stateOf(4)], now + 1).lead;
  }
  assert.deepEqual(rolledBack(both, state(4), 999 + patience), []);
  assert.deepEqual(rolledBack(both, state(4), 1000 + patience), ["honest"]);
  const later = claimed(claimed(lead, "liar", state(9), 0), "honest", state(5), 30_000);
  const judged = lookAgain(later, state(4), patience);
  assert.deepEqual([...judged.rolledBack], ["liar"]);
  assert.equal(patientUntil(judged.lead, 0), 30_000 + patience);
});

test("a directory that cannot be read was not rolled back, however long it takes; once it is read the minute begins", () => {
  const waiting = claimed(lead, "a", state(5), 0);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * patience, Number.POSITIVE_INFINITY), []);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * patience, 99 * patience + 1), []);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * patience, 99 * patience), ["a"]);
});
