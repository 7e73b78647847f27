import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../test/virtual-clock.ts";
import type { Channel } from "./channel.ts";
import { speaker } from "./speaker.ts";

function spoken() {
  const done: string[] = [];
  let busy = false;
  const clock = virtualClock(5_000);
  const note = (what: string) => (): void => void done.push(what);
  const channel: Channel = {
    behind: false,
    begin: (epoch, rolledBack) => done.push(`begin ${epoch}${rolledBack ? " rolled back" : ""}`),
    ...{
      end: note("end"),
      moved: note("moved"),
      resume: note("resume"),
      digest: note("digest"),
      answer: note("answer"),
    },
  };
  const voice = speaker({
    ...{ channels: new Map([["dhcp", channel]]), clock, random: () => 0.007, log() {} },
    ...{ mirror: () => ["1#0#1"], readSince: () => 0, look: note("look"), busy: () => busy },
  });
  const refused = (epoch: number, because: "epoch" | "asOf", state: string[]) => {
    const asOf = { state, clock: 0 };
    voice.refused({
      trigger: 1,
      kind: "refusal",
      host: "h",
      service: "dhcp",
      epoch,
      asOf,
      refused: voice.epoch ?? 0,
      because,
    });
  };
  const work = (underWay: boolean): void => {
    busy = underWay;
  };
  return { voice, clock, done, refused, work };
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
  voice.hear(5_000_003);
  assert.deepEqual(done, []);
  voice.elect(true);
  assert.equal(voice.epoch, 5_001_007);
  await clock.advance(1_000);
  voice.hear(5_001_007);
  assert.equal(voice.epoch, 5_001_007);
  voice.hear(7_000_000);
  assert.equal(voice.epoch, 7_001_007);
});

test("an epoch that nobody can follow is not followed", () => {
  const { voice, refused } = spoken();
  voice.complete();
  voice.elect(true);
  assert.throws(
    () => refused(2 ** 53 - 1, "epoch", []),
    /dhcp on h holds epoch 9007199254740991, which none can follow/,
  );
  voice.hear(2 ** 53 - 1);
  voice.elect(false);
  assert.equal(voice.epoch, undefined);
});

test("a mirror that is behind what a host holds for a minute speaks of a directory that was rolled back", async () => {
  const { voice, clock, done, refused } = spoken();
  voice.complete();
  voice.elect(true);
  refused(1, "asOf", ["2#0#1"]);
  assert.equal(voice.due(), 60_000);
  await clock.advance(59_999);
  voice.lookAgain();
  assert.equal(done.at(-1), "begin 5000007");
  await clock.advance(1);
  voice.lookAgain();
  assert.equal(done.at(-1), "begin 65000007 rolled back");
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
  work(false);
  voice.hear(7_000_000); // begins the epoch in place of the look that follows the change
  assert.equal(done.at(-1), "begin 65000007 rolled back");
});
