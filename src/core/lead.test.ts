import assert from "node:assert/strict";
import { test } from "node:test";
import { hearEpoch, hearRefusal, type Lead, lookAgain, patience } from "./lead.ts";

const state = (second: number) => [`2026112210200${second}.000000Z#000000#001#000000`];
const lead: Lead = { epoch: 7, heard: 7 };
const refusal = (because: "epoch" | "asOf", epoch: number, second = 5, refused = 7) => ({
  because,
  epoch,
  refused,
  asOf: { state: state(second), clock: 0 },
});

test("a host that holds a higher epoch is answered by one that is higher still", () => {
  assert.deepEqual(hearRefusal(lead, refusal("epoch", 9), state(5), 0), { lead: { epoch: 7, heard: 9 }, act: "epoch" });
});

test("an epoch of a host that is higher is answered without a refusal, and any other is not", () => {
  assert.deepEqual(hearEpoch(lead, 9), { lead: { epoch: 7, heard: 9 }, act: "epoch" });
  for (const epoch of [7, 3]) assert.deepEqual(hearEpoch(lead, epoch), { lead });
});

test("a refusal that is answered already makes no epoch", () => {
  assert.equal(hearRefusal(lead, refusal("epoch", 6, 5, 3), state(5), 0).act, undefined);
  assert.equal(hearRefusal(lead, refusal("asOf", 6, 9, 6), state(5), 0).lead.behind, undefined);
});

test("a mirror that is behind its hosts is waited for, and speaks again when it has come", () => {
  const waiting = hearRefusal(lead, refusal("asOf", 7, 5), state(3), 1000);
  assert.equal(waiting.act, undefined);
  assert.deepEqual(lookAgain(waiting.lead, state(4), 2000), { lead: waiting.lead });
  assert.deepEqual(lookAgain(waiting.lead, state(5), 3000), { lead, act: "digest" });
});

test("a mirror that has come before the refusal was heard speaks at once", () => {
  assert.equal(hearRefusal(lead, refusal("asOf", 7, 5), state(6), 0).act, "digest");
});

test("a directory that still stands behind after a minute was rolled back", () => {
  const { lead: waiting } = hearRefusal(lead, refusal("asOf", 7, 5), state(3), 1000);
  assert.equal(lookAgain(waiting, state(4), 999 + patience).act, undefined);
  assert.equal(lookAgain(waiting, state(4), 1000 + patience).act, "rollBack");
});

test("refusals that are repeated do not put the minute off, and the newest state is waited for", () => {
  const { lead: first } = hearRefusal(lead, refusal("asOf", 7, 5), state(3), 0);
  const { lead: second } = hearRefusal(first, refusal("asOf", 7, 6), state(3), 50_000);
  const { lead: third } = hearRefusal(second, refusal("asOf", 7, 4), state(3), 55_000);
  assert.deepEqual(third.behind, { state: state(6), since: 0 });
  assert.equal(lookAgain(third, state(5), patience).act, "rollBack");
});

test("a directory that cannot be read was not rolled back, however long it takes; once it is read the minute begins", () => {
  const { lead: waiting } = hearRefusal(lead, refusal("asOf", 7, 5), state(3), 0);
  assert.equal(lookAgain(waiting, state(3), 100 * patience, Number.POSITIVE_INFINITY).act, undefined);
  assert.equal(lookAgain(waiting, state(3), 100 * patience, 99 * patience + 1).act, undefined);
  assert.equal(lookAgain(waiting, state(3), 100 * patience, 99 * patience).act, "rollBack");
});
