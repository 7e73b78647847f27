import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { hostScene, row } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { Hostname, Ipv4 } from "../../core/service/columns.ts";
import { type Service, service } from "../../core/service/service.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { readLimit, unitsStarted } from "./start-limit.ts";

const path = "/etc/demo/hosts";

/**
 * A host whose daemon is restarted for each text, by a systemctl that refuses as systemd does. Texts with `broken` in
 * them do not start.
 */
async function restarted({ burst = 5, interval = 10_000, says = "" } = {}) {
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const machine = memoryMachine();
  const starts: number[] = [];
  const seen = { tooQuick: 0, running: "", texts: [] as string[] };
  machine.program("systemctl", ({ arguments: [verb = "", unit] }) => {
    if (verb === "show") return says === "" ? { code: 1 } : { stdout: says };
    assert.deepEqual([verb, unit], ["restart", "demo"]);
    const window = starts.filter((at) => at > clock.now() - interval);
    if (window.length >= burst) {
      seen.tooQuick += 1;
      return { code: 1, stderr: "start request repeated too quickly" };
    }
    starts.push(clock.now());
    const text = machine.text(path) ?? "";
    seen.texts.push(text);
    if (text.includes("broken")) return { code: 1, stderr: "demo.service failed" };
    seen.running = text;
    return {};
  });
  const definition = service({
    row: z.object({ name: Hostname, ip: Ipv4 }),
    unique: ["ip"],
    pace: 100,
    select: () => undefined,
    async run({ rows }, host) {
      const text = [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");
      await host.install({ path, text }, { reload: ["systemctl", "restart", "demo"] });
    },
  }) as unknown as Service;
  const world = hostScene(definition, { machine, clock });
  await world.say([["a", row("first", "10.0.0.1")]]);
  const host = world.up();
  await until(() => seen.running.includes("first"));
  return {
    ...world,
    seen,
    starts,
    async [Symbol.asyncDispose]() {
      await host.down();
      world.end();
    },
  };
}

test("a stream of changes never exceeds systemd's start limit, and its last is applied", async () => {
  await using world = await restarted();
  const { say, clock, seen, starts, report } = world;
  for (let n = 0; n < 120; n++) {
    await say([["a", row(`name-${n}`, "10.0.0.1")]]);
    await clock.advance(250);
  }
  await clock.advance(10_000);
  await until(() => seen.running.includes("name-119"));
  assert.equal(seen.tooQuick, 0);
  assert.equal(report().failing, false);
  assert.ok(
    starts.length >= 12,
    `${starts.length} restarts in 40 seconds: as many as may be, less the one kept in hand`,
  );
});

test("repeated regenerations never exceed the start limit either", async () => {
  await using world = await restarted();
  const { give, clock, seen, starts } = world;
  for (let n = 0; n < 40; n++) {
    await give({ order: "regen" });
    await clock.advance(200);
  }
  assert.equal(seen.tooQuick, 0);
  assert.ok(starts.length > 3);
});

test("a failing text is tried three times within its unit's start limit", async () => {
  const says = "StartLimitIntervalUSec=1min\nStartLimitBurst=3\n";
  await using world = await restarted({ burst: 3, interval: 60_000, says });
  const { say, clock, seen, report, facts } = world;
  await clock.advance(61_000);
  await say([["a", row("broken", "10.0.0.1")]]);
  for (let minute = 0; minute < 5; minute++) await clock.advance(60_000);
  await until(() => facts()?.fatal !== undefined);
  assert.equal(seen.tooQuick, 0);
  assert.equal(seen.texts.filter((text) => text.includes("broken")).length, 3);
  assert.match(seen.running, /first/);
  assert.match(report().why ?? "", /given up after 3 tries/);
});

test("a start limit is read from systemctl, or has its default", () => {
  const said = (interval: string, burst: string) =>
    readLimit(`StartLimitIntervalUSec=${interval}\nStartLimitBurst=${burst}\n`);
  assert.deepEqual(said("10s", "5"), { interval: 10_000, burst: 5 });
  assert.deepEqual(said("1min 30s", "3"), { interval: 90_000, burst: 3 });
  assert.deepEqual(said("500ms", "2"), { interval: 500, burst: 2 });
  assert.deepEqual(said("0", "5"), { interval: 0, burst: 5 });
  assert.deepEqual(said("soon", "5"), { interval: 10_000, burst: 5 });
  assert.deepEqual(readLimit(""), { interval: 10_000, burst: 5 });
});

test("the units that a command starts are read from its words", () => {
  assert.deepEqual(unitsStarted(["systemctl", "restart", "isc-dhcp-server"]), ["isc-dhcp-server.service"]);
  assert.deepEqual(unitsStarted(["sudo", "/usr/bin/systemctl", "--no-block", "try-restart", "a.service", "b.socket"]), [
    "a.service",
    "b.socket",
  ]);
  assert.deepEqual(unitsStarted(["service", "named", "restart"]), ["named.service"]);
  for (const command of [
    ["systemctl", "reload", "named"],
    ["systemctl", "show", "named"],
    ["rndc", "reload"],
  ] as const) {
    assert.deepEqual(unitsStarted(command), []);
  }
});
