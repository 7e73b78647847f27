import assert from "node:assert/strict";
import { test } from "node:test";
import {
  comparePlaces,
  covers,
  highestEpoch,
  olderState,
  protocolVersion,
  refusalMessage,
  streamMessage,
} from "./messages.ts";

const csn = (server: number, second: number) =>
  `202611221020${String(second).padStart(2, "0")}.000000Z#000000#00${server}#000000`;

test("a state behind for some server and ahead for none is older", () => {
  assert.ok(olderState([csn(1, 1)], [csn(1, 2)]));
  assert.ok(!olderState([csn(1, 2)], [csn(1, 2)]));
  assert.ok(!olderState([csn(1, 3)], [csn(1, 2)]));
  assert.ok(olderState([csn(2, 5), csn(1, 1)], [csn(1, 2), csn(2, 5)]));
  assert.ok(!olderState([csn(1, 1), csn(2, 6)], [csn(1, 2), csn(2, 5)]), "ahead for server 2");
});

test("a state is behind for a server that it does not know", () => {
  assert.ok(olderState([csn(1, 1)], [csn(1, 1), csn(2, 1)]));
  assert.ok(!olderState([csn(1, 1), csn(2, 1)], [csn(1, 1)]));
  assert.ok(olderState([], [csn(1, 1)]));
  assert.ok(!olderState([], []));
});

test("a state covers changes that it is not behind for their server", () => {
  assert.ok(covers([csn(1, 1), csn(2, 5)], [csn(2, 5), csn(1, 1)]));
  assert.ok(!covers([csn(1, 9), csn(2, 4)], [csn(2, 5)]), "another server's time is no measure");
  assert.ok(!covers([csn(1, 9)], [csn(2, 5)]));
  assert.ok(!covers([csn(1, 3)], [csn(1, 2), csn(1, 4)]));
});

test("states that are no CSNs compare as text", () => {
  assert.ok(olderState(["1"], ["2"]));
  assert.ok(!olderState(["2"], ["1"]));
});

test("an epoch above the highest one allowed is implausible", () => {
  const digest = (epoch: number) => {
    const place = { epoch, seq: 0, asOf: { state: [], clock: 0 } };
    return streamMessage.safeParse({ trigger: 1, service: "dhcp", kind: "digest", ...place, root: "", count: 0 })
      .success;
  };
  assert.ok(digest(highestEpoch));
  assert.ok(!digest(highestEpoch + 1));
});

test("marks stand in the order of their epochs, then of their changes", () => {
  const asOf = { state: [], clock: 0 };
  const mark = (epoch: number, seq: number) => ({ epoch, seq, asOf });
  assert.ok(comparePlaces(mark(1, 9), mark(2, 0)) < 0);
  assert.ok(comparePlaces(mark(2, 1), mark(2, 0)) > 0);
  assert.equal(comparePlaces(mark(2, 1), mark(2, 1)), 0);
});

test("a message of another version of the protocol is not read", () => {
  const digest = {
    service: "dhcp",
    kind: "digest",
    epoch: 1,
    seq: 0,
    asOf: { state: [], clock: 0 },
    root: "",
    count: 0,
  };
  assert.ok(streamMessage.safeParse({ trigger: 1, ...digest }).success);
  assert.ok(!streamMessage.safeParse({ trigger: 2, ...digest }).success);
});

test("a refusal names the state of 4,096 servers at most, each in few characters", () => {
  const reads = (state: string[]): boolean => {
    const head = { trigger: protocolVersion, kind: "refusal", host: "h", service: "dhcp", epoch: 1 };
    return refusalMessage.safeParse({ ...head, asOf: { state, clock: 0 }, refused: 1, because: "asOf" }).success;
  };
  assert.ok(reads(Array.from({ length: 4_096 }, (_, server) => csn(server, 1))));
  assert.ok(!reads(Array.from({ length: 4_097 }, (_, server) => csn(server, 1))));
  assert.ok(!reads(["x".repeat(201)]));
});
