import assert from "node:assert/strict";
import { test } from "node:test";
import { row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { Away } from "../../core/util/errors.ts";

test("an absent daemon is retried twice a second, logged once, then given every row", async () => {
  await using world = await running();
  const { dhcp, say, clock, report, logged } = world;
  dhcp.controls.before = () => {
    throw new Away("no daemon answers");
  };
  await say([["j", row("b", "10.0.0.2")]]);
  await until(() => report().failing);
  const before = dhcp.seen.runs;
  for (let i = 1; i <= 20; i++) {
    await clock.advance(500);
    await until(() => dhcp.seen.runs === before + i);
  }
  assert.equal(logged.filter((line) => line.includes("no daemon answers")).length, 1);
  assert.equal(report().why, "no daemon answers");
  dhcp.controls.before = undefined;
  await clock.advance(500);
  await until(() => dhcp.served.size === 2);
  await until(() => !report().failing);
  assert.equal(dhcp.seen.changes.at(-1), undefined, "what it has is unknown, so it is given all");
});

test("a daemon restarted after a failed run is given every row", async () => {
  await using world = await running();
  const { dhcp, say, clock, report, machine } = world;
  dhcp.controls.before = () => {
    throw new Error("refused");
  };
  await say([["j", row("b", "10.0.0.2")]]);
  await until(() => report().failing);
  machine.powerCut();
  dhcp.controls.before = undefined;
  await clock.advance(1000);
  await until(() => dhcp.served.size === 2);
  assert.equal(dhcp.seen.changes.at(-1), undefined);
});

test("a held row waits with its reason, and the others are applied", async () => {
  await using world = await running();
  const { dhcp, say, report, retained } = world;
  dhcp.controls.result = { held: [{ key: "j", why: "another client has 10.0.0.2" }] };
  await say([
    ["j", row("b", "10.0.0.2")],
    ["l", row("c", "10.0.0.3")],
  ]);
  await until(() => report().rows === 2);
  assert.deepEqual(retained(), [["j", "conflict", "another client has 10.0.0.2"]]);
  assert.equal(report().refused[0]?.by, "conflict");
});

test("a row that a full run fails to restore is listed and retried", async () => {
  await using world = await running();
  const { dhcp, say, report, retained, machine, clock } = world;
  await say([["j", row("b", "10.0.0.2")]]);
  await until(() => report().rows === 2 && report().pending === 0);
  dhcp.controls.result = { refused: [{ key: "j", why: "no subnet" }] };
  machine.powerCut();
  await clock.advance(60_000);
  await until(() => report().refusedCount === 1);
  assert.deepEqual(retained(), [["j", "daemon", "no subnet"]]);
  assert.equal(report().refused[0]?.retained, false);
  assert.deepEqual([report().rows, report().pending, dhcp.served.has("j")], [1, 0, false]);
  dhcp.controls.result = undefined;
  machine.powerCut();
  await clock.advance(60_000);
  await until(() => dhcp.served.has("j"));
  await until(() => report().rows === 2 && report().refusedCount === 0);
});
