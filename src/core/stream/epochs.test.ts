import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Epochs,
  hearEpoch,
  hearRefusal,
  nextReview,
  noEpochs,
  reviewNewerStates,
  rollbackWait,
} from "./epochs.ts";

const stateOf = (second: number, server = "001") => `2026112210200${second}.000000Z#000000#${server}#000000`;
const state = (second: number) => [stateOf(second)];
const epochs: Epochs = { ...noEpochs, epoch: 7, heard: 7 };
const refusal = (because: "epoch" | "asOf", epoch: number, second = 5, refused = 7) => ({
  ...{ host: "a", service: "dhcp" },
  because,
  epoch,
  refused,
  asOf: { state: state(second), clock: 0 },
});
/** The epochs after a host refused because of its newer directory state, while the mirror is at second 3. */
const refused = (before: Epochs, host: string, held: readonly string[], now: number, service = "dhcp"): Epochs =>
  hearRefusal(before, { ...refusal("asOf", 7), host, service, asOf: { state: held, clock: 0 } }, state(3), now).epochs;
const rolledBack = (of: Epochs, mirror: readonly string[], now: number, readSince?: number) => [
  ...reviewNewerStates(of, mirror, now, readSince).rolledBack,
];

test("a host that holds a higher epoch is answered by a higher one", () => {
  const { epochs: heard, act } = hearRefusal(epochs, refusal("epoch", 9), state(5), 0);
  assert.deepEqual({ heard, act }, { heard: { ...epochs, heard: 9 }, act: "epoch" });
});

test("a higher epoch of a host is answered without a refusal, others are not", () => {
  assert.deepEqual(hearEpoch(epochs, 9), { epochs: { ...epochs, heard: 9 }, act: "epoch" });
  for (const epoch of [7, 3]) assert.deepEqual(hearEpoch(epochs, epoch), { epochs });
});

test("an answered refusal makes no epoch", () => {
  assert.equal(hearRefusal(epochs, refusal("epoch", 6, 5, 3), state(5), 0).act, undefined);
  assert.equal(hearRefusal(epochs, refusal("asOf", 6, 9, 6), state(5), 0).epochs.newerStates.size, 0);
});

test("a host ahead of the mirror is answered once the mirror has caught up", () => {
  const waiting = refused(epochs, "a", state(5), 1000);
  assert.deepEqual(reviewNewerStates(waiting, state(4), 2000), { epochs: waiting, reached: [], rolledBack: new Set() });
  const reviewed = reviewNewerStates(waiting, state(5), 3000);
  assert.deepEqual([reviewed.epochs, reviewed.rolledBack.size], [epochs, 0]);
  assert.deepEqual(
    reviewed.reached.map(({ host, service }) => [host, service]),
    [["a", "dhcp"]],
  );
});

test("a mirror that is ahead of a refusal answers it at once", () => {
  assert.equal(hearRefusal(epochs, refusal("asOf", 7, 5), state(6), 0).act, "digest");
});

test("a directory that is still behind after a minute was rolled back", () => {
  const waiting = refused(epochs, "a", state(5), 1000);
  assert.equal(nextReview(waiting, 0), 1000 + rollbackWait);
  assert.deepEqual(rolledBack(waiting, state(4), 999 + rollbackWait), []);
  assert.deepEqual(rolledBack(waiting, state(4), 1000 + rollbackWait), ["a"]);
});

test("repeated refusals do not delay the minute", () => {
  const repeated = refused(refused(epochs, "a", state(5), 0), "a", state(6), 50_000);
  assert.deepEqual(rolledBack(repeated, state(5), rollbackWait), ["a"]);
});

test("a newer state of one service hides no other, and one decides for all", () => {
  const two = refused(refused(epochs, "a", state(6), 0, "dhcp"), "a", state(4), 55_000, "dns");
  const reviewed = reviewNewerStates(two, state(5), rollbackWait);
  assert.deepEqual(
    reviewed.reached.map(({ service }) => service),
    ["dns"],
  );
  assert.deepEqual([...reviewed.rolledBack], ["a"]);
  assert.deepEqual(reviewNewerStates(two, state(3), rollbackWait), { epochs, reached: [], rolledBack: new Set(["a"]) });
});

test("one host's newer state neither ends nor begins the minute of another", () => {
  let now = 1000;
  let both = refused(epochs, "honest", state(6), now);
  // The states of a server of its own: each change of the mirror reaches them, and they are always newer.
  for (let writes = 1; writes < 9; writes++) {
    now += 7000;
    both = refused(both, "liar", [stateOf(3), stateOf(writes, "002")], now);
    both = reviewNewerStates(both, [stateOf(4)], now + 1).epochs;
  }
  assert.deepEqual(rolledBack(both, state(4), 999 + rollbackWait), []);
  assert.deepEqual(rolledBack(both, state(4), 1000 + rollbackWait), ["honest"]);
  const later = refused(refused(epochs, "liar", state(9), 0), "honest", state(5), 30_000);
  const reviewed = reviewNewerStates(later, state(4), rollbackWait);
  assert.deepEqual([...reviewed.rolledBack], ["liar"]);
  assert.equal(nextReview(reviewed.epochs, 0), 30_000 + rollbackWait);
});

test("a directory is rolled back a minute after it can be read again", () => {
  const waiting = refused(epochs, "a", state(5), 0);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * rollbackWait, Number.POSITIVE_INFINITY), []);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * rollbackWait, 99 * rollbackWait + 1), []);
  assert.deepEqual(rolledBack(waiting, state(3), 100 * rollbackWait, 99 * rollbackWait), ["a"]);
});
