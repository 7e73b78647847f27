import assert from "node:assert/strict";
import { test } from "node:test";
import { row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import type { WaveMessage } from "../../core/stream/messages.ts";
import { serviceKey } from "../../core/stream/routing.ts";

/** A host of a later wave, with one applied row and a change that has arrived. */
async function waiting({ before }: { before?: WaveMessage["failing"] } = {}) {
  const world = await running({ waveWithin: () => 60_000 });
  const wave = (seq: number, failing?: string): Promise<void> => {
    const { epoch = 0 } = world.facts()?.followed.mark ?? {};
    const message: WaveMessage = { trigger: 1, kind: "wave", service: "dhcp", epoch, seq, ...(failing && { failing }) };
    return world.hub.connect().publish(serviceKey("dhcp"), JSON.stringify(message));
  };
  const seq = (world.facts()?.followed.mark?.seq ?? 0) + 1;
  if (before !== undefined) await wave(seq, before);
  await world.say([["k", row("b", "10.0.0.2")]]);
  const why = before === undefined ? "waits for the wave before it, 60 s at most" : `waits for ${before}`;
  await until(() => world.report().why === why);
  return {
    ...{ world, seq, wave },
    name: () => world.dhcp.served.get("k")?.name,
    order: (order: string, about = {}) => world.give({ order, ...about }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

test("a change waits until the hosts of the earlier wave have applied it", async () => {
  await using all = await waiting();
  const { world, name, wave, seq } = all;
  await world.clock.advance(30_000);
  await wave(seq - 1);
  await until(() => world.hub.look("trigger-a-dhcp").length === 0);
  await world.clock.advance(1_000);
  assert.equal(name(), "a");
  await wave(seq);
  await until(() => name() === "b");
  await until(() => world.report().why === undefined);
});

test("a wait for silent hosts ends, and the next change has its own", async () => {
  await using all = await waiting();
  const { world, name } = all;
  await world.clock.advance(59_000);
  assert.equal(name(), "a");
  await world.clock.advance(1_000);
  await until(() => name() === "b");
  await world.say([["k", row("c", "10.0.0.3")]]);
  await until(() => world.report().why === "waits for the wave before it, 60 s at most");
  await world.clock.advance(59_000);
  assert.equal(name(), "b");
  await world.clock.advance(2_000);
  await until(() => name() === "c");
});

test("a failing host of the earlier wave delays a change until it is mended", async () => {
  await using all = await waiting({ before: "ns1: named does not load it" });
  const { world, name, wave, seq } = all;
  for (let minute = 0; minute < 10; minute++) {
    await world.clock.advance(60_000);
    await wave(seq, "ns1: named does not load it");
    await until(() => world.hub.look("trigger-a-dhcp").length === 0);
  }
  assert.equal(name(), "a");
  await wave(seq);
  await until(() => name() === "b");
});

test("a failing host without a report becomes absent and delays no change", async () => {
  await using all = await waiting({ before: "ns1: no" });
  const { world, name } = all;
  await world.clock.advance(179_000);
  assert.equal(name(), "a");
  await world.clock.advance(2_000);
  await until(() => name() === "b");
});

test("an approval ends the wait, and the same failure delays no later change", async () => {
  await using all = await waiting({ before: "ns1: no" });
  const { world, name, order, wave, seq } = all;
  await order("approve", { digest: "00000000" });
  await until(() => world.logged.some((line) => line.includes("nothing waits under 00000000")));
  await world.clock.advance(1000);
  assert.equal(name(), "a", "a digest is about what it names");
  await order("approve");
  await until(() => name() === "b");
  await world.say([["k", row("c", "10.0.0.3")]]);
  await wave(seq, "ns1: no");
  await until(() => world.report().why === "waits for the wave before it, 60 s at most");
  await until(() => world.hub.look("trigger-a-dhcp").length === 0);
  await world.clock.advance(61_000);
  await until(() => name() === "c");
});

test("a restarted host applies its rows without a wait", async () => {
  await using all = await waiting({ before: "ns1: no" });
  const { name, world } = all;
  await world.again("kill");
  await until(() => name() === "b");
});

test("a change that was tried and reverted leaves the daemon without a wait", async () => {
  await using all = await waiting();
  const { world, name, wave, seq } = all;
  const { dhcp, clock, say } = world;
  dhcp.controls.after = () => {
    dhcp.controls.after = undefined;
    throw new Error("it broke half-way");
  };
  await wave(seq);
  await until(() => world.report().failing);
  assert.equal(name(), "b");
  await say([["k", row("a", "10.0.0.1")]]);
  await until(() => world.report().stored?.seq === seq + 1);
  const before = clock.monotonic();
  await until(() => clock.advance(1000).then(() => name() === "a"));
  assert.ok(clock.monotonic() - before < 30_000, `it waited for ${clock.monotonic() - before} ms`);
});

test("a host's past failure delays no change", async () => {
  await using all = await waiting({ before: "ns1: no" });
  const { world, name, wave, seq } = all;
  await wave(seq - 1);
  await until(() => world.hub.look("trigger-a-dhcp").length === 0);
  await world.clock.advance(61_000);
  await until(() => name() === "b");
});
