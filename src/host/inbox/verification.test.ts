import assert from "node:assert/strict";
import { test } from "node:test";
import { row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import type { DaemonCompared } from "../../core/stream/report.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import type { HostOptions } from "../options.ts";
import { daemonComparer } from "../run/compare-daemon.ts";

/** A host with one applied row, whose comparison of the daemon the test controls. */
async function verified(compareDaemon?: NonNullable<HostOptions["compareDaemon"]>) {
  const world = await running(compareDaemon && { compareDaemon });
  return {
    ...world,
    verify: (at: number) => world.give({ order: "verify", at }),
    said: () => world.report().verified,
  };
}

test("a verified host reports the comparison of its table, then of its daemon", async () => {
  const answer = Promise.withResolvers<DaemonCompared>();
  await using world = await verified(() => answer.promise);
  await world.verify(7);
  await until(() => world.said()?.daemon?.state === "comparing");
  assert.deepEqual(world.said(), { asked: 7, differed: false, daemon: { state: "comparing" } });
  answer.resolve({ state: "differs", missing: 1, differs: 0, extra: 2, foreign: 3 });
  await until(() => world.said()?.daemon?.state === "differs");
  assert.deepEqual(world.said()?.daemon, { state: "differs", missing: 1, differs: 0, extra: 2, foreign: 3 });
});

test("a host that compares no daemon reports nothing of it", async () => {
  await using world = await verified();
  await world.verify(7);
  await until(() => world.said()?.asked === 7);
  assert.deepEqual(world.said(), { asked: 7, differed: false });
});

test("a comparison is repeated after a run during it, and delays no change", async () => {
  let compared = 0;
  const first = Promise.withResolvers<void>();
  await using world = await verified(async () => {
    compared += 1;
    if (compared === 1) await first.promise;
    return { state: "same" };
  });
  await world.verify(7);
  await until(() => compared === 1);
  await world.say([["l", row("b", "10.0.0.2")]]);
  await world.clock.advance(1_000);
  await until(() => world.dhcp.served.size === 2);
  first.resolve();
  await until(() => world.said()?.daemon?.state === "same");
  assert.equal(compared, 2);
});

test("orders to verify that arrive during a comparison cause one more", async () => {
  const ends: (() => void)[] = [];
  await using world = await verified(
    () => new Promise((resolve) => ends.push(() => resolve({ state: "same", files: ends.length }))),
  );
  for (const at of [7, 8, 9]) {
    await world.verify(at);
    await until(() => world.said()?.asked === at);
  }
  assert.equal(ends.length, 1);
  ends[0]?.();
  await until(() => ends.length === 2);
  assert.equal(world.said()?.daemon?.state, "comparing");
  ends[1]?.();
  await until(() => world.said()?.daemon?.state === "same");
  assert.deepEqual(world.said(), { asked: 9, differed: false, daemon: { state: "same", files: 2 } });
});

test("an order to verify repeated with its time compares once, without it again", async () => {
  let compared = 0;
  await using world = await verified(async () => {
    compared += 1;
    return { state: "same", files: compared };
  });
  for (const [at, times] of [
    [7, 1],
    [7, 1],
    [0, 2],
    [0, 3],
  ] as const) {
    await world.verify(at);
    await until(() => world.hub.look("trigger-a-dhcp").length === 0 && world.said()?.daemon?.files === times);
  }
  await world.again();
  await world.verify(0);
  await until(() => world.said()?.daemon?.files === 4);
});

test("a daemon that fails or exceeds a minute is reported, and the next compared", async () => {
  const clock = virtualClock(0);
  const compare = daemonComparer({ clock, signal: new AbortController().signal });
  const idle = { busy: () => false, isPending: () => false, runs: () => 0 };
  let aborted = false;
  const hangs = compare({
    ...idle,
    compare: (signal) => new Promise(() => signal.addEventListener("abort", () => (aborted = true))),
  });
  const away = compare({ ...idle, compare: () => Promise.reject(new Error("the daemon is away")) });
  const well = compare({ ...idle, compare: async () => ({ state: "same" }) });
  await clock.advance(60_000);
  assert.deepEqual(await hangs, { state: "failed", why: "the comparison took longer than 1 min" });
  assert.ok(aborted);
  assert.deepEqual(await away, { state: "failed", why: "the daemon is away" });
  assert.deepEqual(await well, { state: "same" });
});

test("a comparison waits for a run, and a moment for pending rows", async () => {
  const clock = virtualClock(0);
  const compare = daemonComparer({ clock, signal: new AbortController().signal });
  let running = true;
  let compared = 0;
  const owing = compare({
    busy: () => running,
    isPending: () => true,
    runs: () => 1,
    async compare() {
      compared += 1;
      return { state: "differs", waiting: 1 };
    },
  });
  await clock.advance(40_000);
  running = false;
  await clock.advance(4_000);
  assert.equal(compared, 0);
  await clock.advance(2_000);
  assert.deepEqual(await owing, { state: "differs", waiting: 1 });
});

test("a comparison that a restart cut off is reported as failed", async () => {
  await using world = await verified(() => new Promise(() => {}));
  await world.verify(7);
  await until(() => world.said()?.daemon?.state === "comparing");
  await world.again("kill");
  await until(() => world.said()?.daemon?.state === "failed");
  assert.deepEqual(world.said()?.daemon, { state: "failed", why: "the host was stopped meanwhile" });
});
