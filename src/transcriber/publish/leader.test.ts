import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { speaker } from "./leader.ts";
import type { Channel } from "./stream.ts";

function spoken() {
  const done: string[] = [];
  const log: string[] = [];
  let busy = false;
  let directory = ["1#0#1"];
  const clock = virtualClock(5_000);
  const note = (what: string) => (): void => void done.push(what);
  const channelTo = (whom: string): Channel => ({
    ...{ behind: false, refusing: [] },
    begin: (epoch, rolledBack) => done.push(`${whom}begin ${epoch}${rolledBack ? " rolled back" : ""}`),
    ...{
      end: note(`${whom}end`),
      moved: note(`${whom}moved`),
      resume: note(`${whom}resume`),
      digest: note(`${whom}digest`),
      answer: note(`${whom}answer`),
    },
  });
  const voice = speaker({
    ...{ channels: new Map([["dhcp", channelTo("")]]), clock, random: () => 0.007 },
    ...{ open: (host) => new Map([["dhcp", channelTo(`${host}: `)]]), log: (line) => void log.push(line) },
    ...{ mirror: () => directory, readSince: () => 0, look: note("look"), busy: () => busy },
  });
  const refused = (epoch: number, because: "epoch" | "asOf", state: string[], host = "h") => {
    const asOf = { state, clock: 0 };
    const refused = voice.epoch ?? 0;
    voice.refused({ trigger: 1, kind: "refusal", host, service: "dhcp", epoch, asOf, refused, because });
  };
  const work = (underWay: boolean): void => {
    busy = underWay;
  };
  const mirror = (state: string[]): void => {
    directory = state;
  };
  return { voice, clock, done, log, refused, work, mirror };
}

test("nobody speaks before he is elected and his mirror is complete; the tables are brought to the clock first", () => {
  const { voice, done } = spoken();
  voice.elect(true);
  assert.deepEqual(done, []);
  voice.complete();
  assert.deepEqual(done, ["end", "look", "begin 5000007"]);
  voice.complete();
  voice.elect(true);
  assert.equal(done.length, 3);
});

test("two that chase each other's epochs do so once a second at most", async () => {
  const { voice, clock, done, refused } = spoken();
  voice.complete();
  voice.elect(true);
  for (let epoch = 6_000_000; epoch < 6_000_100; epoch++) refused(epoch, "epoch", []);
  assert.equal(done.filter((what) => what.startsWith("begin")).length, 1);
  assert.equal(voice.due(), 1_000);
  await clock.advance(1_000);
  voice.lookAgain();
  assert.equal(voice.epoch, 6_001_007);
});

test("an epoch that a host was heard to hold is gone above at once, and only heeded by one that stands by", async () => {
  const { voice, clock, done } = spoken();
  voice.complete();
  voice.hear("h", 5_000_003);
  assert.deepEqual(done, []);
  voice.elect(true);
  assert.equal(voice.epoch, 5_001_007);
  await clock.advance(1_000);
  voice.hear("h", 5_001_007);
  assert.equal(voice.epoch, 5_001_007);
  voice.hear("g", 7_000_000);
  assert.equal(voice.epoch, 7_001_007);
});

test("an epoch that no host can follow is said once and moves nothing", () => {
  const { voice, done, log, refused } = spoken();
  voice.complete();
  voice.elect(true);
  refused(2 ** 53 - 1, "epoch", []);
  voice.hear("h", 2 ** 53 - 1);
  assert.match(log.at(-1) ?? "", /^h holds epoch 9007199254740991, which no host can follow; .*delete its store/);
  assert.equal(log.filter((line) => line.includes("no host can follow")).length, 1);
  assert.deepEqual(done, ["end", "look", "begin 5000007"]);
});

/** The highest epoch that the clock of 5,000 ms allows is one of 305,000 ms. */
const far = 400_000_000;

test("a host that holds an epoch ahead of the clock is told apart, and the others are not", async () => {
  const { voice, clock, done, log, refused } = spoken();
  voice.complete();
  voice.elect(true);
  done.length = 0;
  refused(far, "epoch", []);
  voice.hear("h", far);
  assert.deepEqual(done, ["h: begin 400001007"]);
  assert.equal(voice.epoch, 5_000_007);
  assert.match(log.at(-1) ?? "", /^h holds epoch 400000000 of 1970-01-01T00:06:40.000Z, ahead of this clock/);
  voice.answer("dhcp", "h", "digest");
  voice.moved(new Map([["dhcp", [["a", null]]]]));
  assert.deepEqual(done.splice(1), ["h: answer", "moved", "h: moved", "resume", "h: resume"]);
  voice.hear("h", 400_001_007); // it follows
  voice.hear("h", far + 9_000_000);
  assert.equal(done.length, 1);
  assert.equal(voice.due(), 1_000);
  await clock.advance(1_000);
  voice.lookAgain();
  assert.deepEqual(done.splice(1), ["h: begin 409001007"]);
  // Another that takes over begins like this one.
  voice.elect(false);
  voice.elect(true);
  assert.deepEqual(done.splice(1), ["end", "h: end", "end", "h: end", "look", "begin 6000007"]);
  await clock.advance(1_000);
  voice.lookAgain();
  assert.deepEqual(done.splice(1), ["h: begin 409002007"]);
});

test("a host that is told apart joins the others once the clock allows its epoch, or its store is empty", async () => {
  const { voice, clock, done } = spoken();
  voice.complete();
  voice.elect(true);
  voice.hear("h", far);
  voice.hear("g", far);
  assert.deepEqual([...voice.apart.keys()], ["h", "g"]);
  voice.hear("g", undefined);
  assert.deepEqual([...voice.apart.keys()], ["h"]);
  await clock.advance(200_000);
  done.length = 0;
  voice.hear("h", 400_001_007);
  assert.deepEqual(done, ["end", "h: end", "look", "begin 400002007", "h: end"]);
  assert.equal(voice.apart.size, 0);
});

test("a host that outruns the others again within a minute does so alone", async () => {
  const { voice, clock } = spoken();
  voice.complete();
  voice.elect(true);
  await clock.advance(1_000);
  voice.hear("h", 6_500_000);
  assert.equal(voice.epoch, 6_501_007);
  await clock.advance(1_000);
  voice.hear("h", 7_500_000);
  assert.equal(voice.epoch, 6_501_007);
  assert.deepEqual([...voice.apart], [["h", 7_501_007]]);
  voice.hear("g", 7_200_000);
  assert.equal(voice.epoch, 7_201_007);
  await clock.advance(60_000);
  voice.hear("h", 7_501_007);
  assert.equal(voice.epoch, 67_000_007);
  assert.equal(voice.apart.size, 0);
});

test("what one that stands by hears of a host does not count against the host", async () => {
  const { voice, clock } = spoken();
  voice.complete();
  voice.hear("h", 5_000_003);
  voice.elect(true);
  await clock.advance(1_000);
  voice.hear("h", 5_900_000); // of another transcriber, which was active for a moment
  assert.equal(voice.epoch, 6_000_007);
  assert.equal(voice.apart.size, 0);
});

test("a directory that was restored is said to hosts that are told apart, too", async () => {
  const { voice, clock, done, refused } = spoken();
  voice.complete();
  voice.elect(true);
  voice.hear("h", far);
  const asOf = { state: ["2#0#1"], clock: 0 };
  const [trigger, kind, service] = [1, "refusal", "dhcp"] as const;
  voice.refused({ trigger, kind, host: "h", service, epoch: far, asOf, refused: 400_001_007, because: "asOf" });
  await clock.advance(60_000);
  voice.lookAgain();
  assert.deepEqual(done.slice(-2), ["h: begin 400001007", "h: begin 400002007 rolled back"]);
  refused(far, "asOf", ["2#0#1"]); // what all are told it refuses for its epoch, whatever it says
  assert.equal(voice.due(), undefined);
});

test("a host that holds a newer directory for a minute is told alone that it was rolled back", async () => {
  const { voice, clock, done, log, refused } = spoken();
  voice.complete();
  voice.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  assert.equal(voice.due(), 60_000);
  await clock.advance(59_999);
  voice.lookAgain();
  assert.equal(done.at(-1), "begin 5000007");
  await clock.advance(1);
  voice.lookAgain();
  assert.equal(done.at(-1), "h: begin 65000007 rolled back");
  assert.equal(voice.epoch, 5_000_007);
  assert.match(log.at(-1) ?? "", /^h holds a newer state .* the directory was rolled back$/);
  refused(1, "asOf", ["2#0#1"]); // of what all were told before it has heard that
  assert.equal(voice.due(), undefined);
  // It follows, and is told with the others again.
  voice.hear("h", 65_000_007);
  assert.deepEqual(done.slice(-2), ["begin 65001007", "h: end"]);
});

test("a mirror that reaches what one host holds tells that host alone", () => {
  const { voice, done, refused, mirror } = spoken();
  voice.complete();
  voice.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  done.length = 0;
  mirror(["2#0#1"]);
  voice.lookAgain();
  refused(1, "asOf", ["2#0#1"]);
  assert.deepEqual(done, ["answer", "answer"]);
});

test("a host that makes the others begin epochs puts no other's roll-back off", async () => {
  const { voice, clock, done, refused } = spoken();
  voice.complete();
  voice.elect(true);
  for (let look = 0; look < 6; look++) {
    refused(1, "asOf", ["2#0#1"]);
    await clock.advance(10_000);
    voice.hear("liar", (voice.epoch ?? 0) + 10_000_000);
    refused(1, "asOf", ["1#0#1", `${look}#0#2`], "liar");
    voice.lookAgain();
  }
  assert.ok(done.filter((what) => what.startsWith("begin")).length > 1);
  assert.match(done.at(-1) ?? "", /^h: begin \d+ rolled back$/);
});

test("one that has stood by begins the minute anew", async () => {
  const { voice, clock, refused } = spoken();
  voice.complete();
  voice.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  voice.elect(false);
  await clock.advance(1_000);
  voice.elect(true);
  assert.equal(voice.due(), undefined);
});

test("a rollback decided during a long change is said by the epoch that follows it", async () => {
  const { voice, clock, done, refused, work } = spoken();
  voice.complete();
  voice.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  await clock.advance(60_000);
  work(true);
  voice.lookAgain();
  assert.equal(done.at(-1), "begin 5000007");
  assert.equal(voice.due(), undefined);
  work(false);
  voice.hear("g", 7_000_000); // begins an epoch in place of the look that follows the change
  voice.lookAgain();
  assert.deepEqual(done.slice(-2), ["begin 65000007", "h: begin 65001007 rolled back"]);
});
