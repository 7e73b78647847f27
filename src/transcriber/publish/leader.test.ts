import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { leadStreams } from "./leader.ts";
import type { Stream } from "./stream.ts";

/** A leader of one service's stream, with the calls that the streams and the table writer get. */
function scene() {
  const done: string[] = [];
  const log: string[] = [];
  let busy = false;
  let directory = ["1#0#1"];
  const clock = virtualClock(5_000);
  const note = (what: string) => (): void => void done.push(what);
  const streamTo = (whom: string): Stream => ({
    ...{ behind: false, blockedQueues: [] },
    begin: (epoch, rolledBack) => done.push(`${whom}begin ${epoch}${rolledBack ? " rolled back" : ""}`),
    ...{
      end: note(`${whom}end`),
      publishChanges: note(`${whom}changed`),
      resume: note(`${whom}resume`),
      digest: note(`${whom}digest`),
      answer: note(`${whom}answer`),
    },
  });
  const leader = leadStreams({
    ...{ streams: new Map([["dhcp", streamTo("")]]), clock, random: () => 0.007 },
    ...{ open: (host) => new Map([["dhcp", streamTo(`${host}: `)]]), log: (line) => void log.push(line) },
    writer: {
      get asOf() {
        return { state: directory, clock: 0 };
      },
      get busy() {
        return busy;
      },
      tick: async () => void done.push("tick"),
    },
  });
  const refused = (epoch: number, because: "epoch" | "asOf", state: string[], host = "h") => {
    const asOf = { state, clock: 0 };
    const refused = leader.epoch ?? 0;
    leader.noteStale({ trigger: 1, kind: "refusal", host, service: "dhcp", epoch, asOf, refused, because });
  };
  const write = (underWay: boolean): void => {
    busy = underWay;
  };
  const mirror = (state: string[]): void => {
    directory = state;
  };
  return { leader, clock, done, log, refused, write, mirror };
}

test("an epoch begins after election and a complete mirror, and after a tick", () => {
  const { leader, done } = scene();
  leader.elect(true);
  assert.deepEqual(done, []);
  leader.complete();
  assert.deepEqual(done, ["end", "tick", "begin 5000007"]);
  leader.complete();
  leader.elect(true);
  assert.equal(done.length, 3);
});

test("two leaders outbid each other's epochs once a second at most", async () => {
  const { leader, clock, done, refused } = scene();
  leader.complete();
  leader.elect(true);
  for (let epoch = 6_000_000; epoch < 6_000_100; epoch++) {
    for (const host of ["h", "g"]) refused(epoch, "epoch", [], host);
  }
  assert.equal(done.filter((what) => what.startsWith("begin")).length, 1);
  assert.equal(leader.due(), 1_000);
  await clock.advance(1_000);
  leader.proceed();
  assert.equal(leader.epoch, 6_001_007);
});

test("a leader begins above a host's epoch at once, a standby when elected", async () => {
  const { leader, clock, done } = scene();
  leader.complete();
  leader.observe("h", 5_000_003);
  assert.deepEqual(done, []);
  leader.elect(true);
  assert.equal(leader.epoch, 5_001_007);
  await clock.advance(1_000);
  leader.observe("h", 5_001_007);
  assert.equal(leader.epoch, 5_001_007);
  leader.observe("g", 6_000_999);
  assert.equal(leader.epoch, 6_001_007);
});

test("an epoch ahead of the clock counts for all once two hosts report it", async () => {
  const { leader, clock } = scene();
  leader.complete();
  leader.elect(true);
  await clock.advance(1_000);
  leader.observe("liar", 299_000_000);
  assert.equal(leader.epoch, 5_000_007);
  assert.deepEqual([...leader.divergent.keys()], ["liar"]);
  leader.observe("h", 7_000_000); // another transcriber's clock was a second ahead
  assert.equal(leader.epoch, 7_001_007);
  await clock.advance(1_000);
  leader.observe("liar", 299_000_000);
  leader.observe("g", 7_000_000);
  assert.equal(leader.epoch, 7_001_007);
  assert.deepEqual([...leader.divergent.keys()], ["liar"]);
});

test("a standby takes no epoch ahead of its clock from a single host", () => {
  const { leader } = scene();
  leader.complete();
  leader.observe("liar", 200_000_000);
  leader.elect(true);
  assert.equal(leader.epoch, 5_000_007);
  assert.deepEqual([...leader.divergent], [["liar", 200_001_007]]);
});

test("an epoch that no host can follow is logged once and ignored", () => {
  const { leader, done, log, refused } = scene();
  leader.complete();
  leader.elect(true);
  refused(2 ** 53 - 1, "epoch", []);
  leader.observe("h", 2 ** 53 - 1);
  assert.match(log.at(-1) ?? "", /^h holds epoch 9007199254740991, which no host can follow; .*delete its store/);
  assert.equal(log.filter((line) => line.includes("no host can follow")).length, 1);
  assert.deepEqual(done, ["end", "tick", "begin 5000007"]);
});

/** The highest epoch that the clock of 5,000 ms allows is one of 305,000 ms. */
const far = 400_000_000;

test("a host with an epoch ahead of the clock gets streams of its own", async () => {
  const { leader, clock, done, log, refused } = scene();
  leader.complete();
  leader.elect(true);
  done.length = 0;
  refused(far, "epoch", []);
  leader.observe("h", far);
  assert.deepEqual(done, ["h: begin 400001007"]);
  assert.equal(leader.epoch, 5_000_007);
  assert.match(log.at(-1) ?? "", /^h holds epoch 400000000 of 1970-01-01T00:06:40.000Z, ahead of this clock/);
  leader.answer("dhcp", "h", "digest");
  leader.publishChanges(new Map([["dhcp", [["a", null]]]]));
  assert.deepEqual(done.splice(1), ["h: answer", "changed", "h: changed", "resume", "h: resume"]);
  leader.observe("h", 400_001_007); // it follows
  leader.observe("h", far + 9_000_000);
  assert.equal(done.length, 1);
  assert.equal(leader.due(), 1_000);
  await clock.advance(1_000);
  leader.proceed();
  assert.deepEqual(done.splice(1), ["h: begin 409001007"]);
  // Another leader begins like this one.
  leader.elect(false);
  leader.elect(true);
  assert.deepEqual(done.splice(1), ["end", "h: end", "end", "h: end", "tick", "begin 6000007"]);
  await clock.advance(1_000);
  leader.proceed();
  assert.deepEqual(done.splice(1), ["h: begin 409002007"]);
});

test("a divergent host rejoins once its epoch is plausible or its store empty", async () => {
  const { leader, clock, done } = scene();
  leader.complete();
  leader.elect(true);
  leader.observe("h", far);
  leader.observe("g", far);
  assert.deepEqual([...leader.divergent.keys()], ["h", "g"]);
  leader.observe("g", undefined);
  assert.deepEqual([...leader.divergent.keys()], ["h"]);
  await clock.advance(200_000);
  done.length = 0;
  leader.observe("h", 400_001_007); // the clock allows it, and no other host supports it
  assert.deepEqual(done, []);
  await clock.advance(200_000);
  leader.observe("h", 400_001_007);
  assert.deepEqual(done, ["end", "h: end", "tick", "begin 405000007", "h: end"]);
  assert.equal(leader.divergent.size, 0);
});

test("a host raises the epoch of all once a minute at most", async () => {
  const { leader, clock } = scene();
  leader.complete();
  leader.elect(true);
  leader.observe("other", 299_000_000); // its support
  await clock.advance(1_000);
  leader.observe("h", 6_500_000);
  assert.equal(leader.epoch, 6_501_007);
  await clock.advance(1_000);
  leader.observe("h", 7_500_000);
  assert.equal(leader.epoch, 6_501_007);
  assert.deepEqual(leader.divergent.get("h"), 7_501_007);
  leader.observe("g", 7_200_000);
  assert.equal(leader.epoch, 7_201_007);
  await clock.advance(60_000);
  leader.observe("h", 7_501_007);
  assert.equal(leader.epoch, 67_000_007);
  assert.deepEqual([...leader.divergent.keys()], ["other"]);
});

test("a host without support raises the epoch of all once an hour at most", async () => {
  const { leader, clock } = scene();
  leader.complete();
  leader.elect(true);
  const raised: number[] = [];
  for (let minute = 0; minute < 125; minute++) {
    await clock.advance(60_000);
    const before = leader.epoch;
    leader.observe("liar", clock.now() * 1_000);
    if (leader.epoch !== before) raised.push(minute);
  }
  assert.deepEqual(raised, [0, 60, 120]);
});

test("epochs that a standby observes do not count against their host", async () => {
  const { leader, clock } = scene();
  leader.complete();
  leader.observe("h", 5_000_003);
  leader.elect(true);
  await clock.advance(1_000);
  leader.observe("h", 5_900_000); // of another transcriber that was active for a moment
  assert.equal(leader.epoch, 6_000_007);
  assert.equal(leader.divergent.size, 0);
});

test("a rollback is announced to divergent hosts too", async () => {
  const { leader, clock, done, refused } = scene();
  leader.complete();
  leader.elect(true);
  leader.observe("h", far);
  const asOf = { state: ["2#0#1"], clock: 0 };
  const [trigger, kind, service] = [1, "refusal", "dhcp"] as const;
  leader.noteStale({ trigger, kind, host: "h", service, epoch: far, asOf, refused: 400_001_007, because: "asOf" });
  await clock.advance(60_000);
  leader.proceed();
  assert.deepEqual(done.slice(-2), ["h: begin 400001007", "h: begin 400002007 rolled back"]);
  refused(far, "asOf", ["2#0#1"]); // it refuses the common stream for its epoch, so its other claims do not count
  assert.equal(leader.due(), undefined);
});

test("a rollback is announced after a minute, and to the claiming host alone", async () => {
  const { leader, clock, done, log, refused } = scene();
  leader.complete();
  leader.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  assert.equal(leader.due(), 60_000);
  await clock.advance(59_999);
  leader.proceed();
  assert.equal(done.at(-1), "begin 5000007");
  await clock.advance(1);
  leader.proceed();
  assert.equal(done.at(-1), "h: begin 65000007 rolled back");
  assert.equal(leader.epoch, 5_000_007);
  assert.match(log.at(-1) ?? "", /^h has held a newer state .* the directory was rolled back$/);
  refused(1, "asOf", ["2#0#1"]); // of the common stream, before the rollback arrived
  assert.equal(leader.due(), undefined);
  // It follows, and then rejoins the others.
  leader.observe("h", 65_000_007);
  assert.deepEqual(done.slice(-2), ["begin 65001007", "h: end"]);
});

test("a mirror that reaches the state of one host answers that host alone", () => {
  const { leader, done, refused, mirror } = scene();
  leader.complete();
  leader.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  done.length = 0;
  mirror(["2#0#1"]);
  leader.proceed();
  refused(1, "asOf", ["2#0#1"]);
  assert.deepEqual(done, ["answer", "answer"]);
});

test("a host that raises epochs delays no rollback of another", async () => {
  const { leader, clock, done, refused } = scene();
  leader.complete();
  leader.elect(true);
  for (let round = 0; round < 6; round++) {
    refused(1, "asOf", ["2#0#1"]);
    await clock.advance(10_000);
    leader.observe("liar", (leader.epoch ?? 0) + 10_000_000);
    refused(1, "asOf", ["1#0#1", `${round}#0#2`], "liar");
    leader.proceed();
  }
  assert.ok(done.filter((what) => what.startsWith("begin")).length > 1);
  assert.match(done.at(-1) ?? "", /^h: begin \d+ rolled back$/);
});

test("a re-elected leader starts the minute before a rollback again", async () => {
  const { leader, clock, refused } = scene();
  leader.complete();
  leader.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  leader.elect(false);
  await clock.advance(1_000);
  leader.elect(true);
  assert.equal(leader.due(), undefined);
});

test("a rollback during a long write is announced after it", async () => {
  const { leader, clock, done, refused, write } = scene();
  leader.complete();
  leader.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  await clock.advance(60_000);
  write(true);
  leader.proceed();
  assert.equal(done.at(-1), "begin 5000007");
  assert.equal(leader.due(), undefined);
  write(false);
  leader.observe("g", 7_000_000); // begins an epoch in place of the tick that follows the write
  leader.proceed();
  assert.deepEqual(done.slice(-2), ["begin 65000007", "h: begin 65001007 rolled back"]);
});
