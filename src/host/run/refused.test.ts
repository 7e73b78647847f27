import assert from "node:assert/strict";
import { test } from "node:test";
import { hostScene, row, simulatedService } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import type { Table } from "../../core/service/service.ts";
import { type CellChange, contestedCell, refusedCell } from "../../core/stream/cells.ts";

/** A host of a service whose refused rows are removed, with three applied rows; two belong to one entry. */
async function guarded(options: Parameters<typeof hostScene>[1] = {}, refused: Table["refused"] = "remove") {
  const door = simulatedService({ refused });
  const world = hostScene(door.definition, options);
  const rows: CellChange[] = [
    ["a", row("a", "10.0.0.1")],
    ["b/1", row("b1", "10.0.0.2")],
    ["b/2", row("b2", "10.0.0.3")],
  ];
  await world.say(rows);
  const host = world.up();
  await until(() => door.served.size === 3);
  await world.clock.advance(1000);
  return {
    ...world,
    door,
    async [Symbol.asyncDispose]() {
      await host.down();
      world.end();
    },
  };
}

test("a refused row is removed and listed, and returns once it is good", async () => {
  await using world = await guarded();
  const { say, door, report, retained, clock } = world;
  await say([["a", refusedCell("vlan: what is that?", ["vlan"])]]);
  await until(() => !door.served.has("a"));
  await until(() => report().pending === 0);
  assert.deepEqual(retained(), [["a", "directory", "vlan: what is that?"]]);
  assert.deepEqual(
    report().refused.map(({ key, by, retained }) => [key, by, retained]),
    [["a", "directory", false]],
  );
  assert.equal(report().rows, 2);
  await clock.advance(5000);
  assert.equal(report().pending, 0, "it is pending no more");
  await say([["a", row("a", "10.0.0.9")]]);
  await until(() => door.served.get("a")?.ip === "10.0.0.9");
  await until(() => report().refusedCount === 0);
});

for (const refused of ["remove", ["key", "claims"]] as const) {
  test(`a claim of another entry removes no row with ${JSON.stringify(refused)}`, async () => {
    await using world = await guarded({}, refused);
    const { say, door, report, retained, clock } = world;
    await say([
      ["a", contestedCell("ip: claimed by two", row("a", "10.0.0.1"))],
      ["b/1", null],
    ]);
    await until(() => door.served.size === 2 && report().pending === 0);
    assert.deepEqual(retained(), [["a", "directory", "ip: claimed by two"]]);
    assert.equal(door.served.get("a")?.ip, "10.0.0.1");
    await say([["a", contestedCell("ip: claimed by two", row("a", "10.0.0.9"))]]);
    await clock.advance(1000);
    await until(() => !door.served.has("a"));
    assert.equal(report().refused[0]?.why, "refused: ip: claimed by two", "what it granted is no longer its entry's");
  });
}

test("a claim while its row is being applied removes it no more than later", async () => {
  await using world = await guarded();
  const { say, door, report, retained, clock } = world;
  const next = row("a", "10.0.0.8");
  door.controls.after = async () => {
    door.controls.after = () => {};
    await say([["a", contestedCell("ip: claimed by two", next)]]);
    await until(() => report().stored?.seq === world.telling.seq);
  };
  await say([["a", next]]);
  await until(() => door.served.get("a")?.ip === "10.0.0.8");
  await clock.advance(5000);
  assert.equal(door.served.get("a")?.ip, "10.0.0.8");
  assert.deepEqual(retained(), [["a", "directory", "ip: claimed by two"]]);
});

test("if columns are named, only a refusal of one of them removes its row", async () => {
  await using world = await guarded({}, ["key"]);
  const { say, door, report } = world;
  await say([
    ["a", refusedCell("key: is not a key; vlan: what is that?", ["key", "vlan"])],
    ["b", refusedCell("vlan: what is that?", ["vlan"])],
    ["b/1", null],
    ["b/2", null],
  ]);
  await until(() => report().pending === 0 && door.served.size === 2);
  assert.deepEqual(
    report().refused.map(({ key, retained }) => [key, retained]),
    [
      ["a", false],
      ["b", false],
      ["b/1", true],
      ["b/2", true],
    ],
  );
  await say([
    ["b", refusedCell("key: is not a key", ["key"])],
    ["c", row("c", "10.0.0.4")],
  ]);
  await world.clock.advance(1000);
  await until(() => report().pending === 0 && door.served.size === 1);
});

test("a refused entry loses every row", async () => {
  await using world = await guarded();
  const { say, door, report } = world;
  await say([
    ["b", refusedCell("two owners")],
    ["b/1", null],
    ["b/2", null],
  ]);
  await until(() => door.served.size === 1);
  await until(() => report().pending === 0);
  assert.deepEqual(
    report().refused.map(({ key, retained }) => [key, retained]),
    [["b", false]],
  );
});

test("removals of refused rows count, and are held beyond the limit", async () => {
  await using world = await guarded({ removalLimit: () => 1 });
  const { say, door, report, give, clock } = world;
  await say([
    ["a", refusedCell("the schema has changed")],
    ["b/1", refusedCell("the schema has changed")],
  ]);
  await until(() => report().removals?.rows === 2);
  assert.equal(door.served.size, 3);
  const { digest } = report().removals ?? {};
  await give({ order: "approve", digest });
  await clock.advance(1000);
  await until(() => door.served.size === 1);
  await until(() => report().refusedCount === 2);
});

test("a row refused during its run is removed by the next that succeeds", async () => {
  await using world = await guarded();
  const { say, door, report, clock } = world;
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  door.controls.after = async () => {
    entered.resolve();
    await leave.promise;
  };
  await say([["new", row("new", "10.0.0.7")]]);
  await entered.promise;
  await say([["new", refusedCell("no")]]);
  await until(() => report().refusedCount === 1);
  door.controls.after = () => {
    throw new Error("not now");
  };
  leave.resolve();
  await clock.advance(1000);
  await until(() => report().failing);
  delete door.controls.after;
  await clock.advance(2000);
  await until(() => !door.served.has("new") && report().pending === 0);
  assert.deepEqual(
    report().refused.map(({ key, retained }) => [key, retained]),
    [["new", false]],
  );
});

test("a row that the daemon fails to remove stays and is listed", async () => {
  await using world = await guarded();
  const { say, door, report, retained } = world;
  door.controls.result = { refused: [{ key: "a", why: "it is in use" }] };
  await say([["a", refusedCell("no")]]);
  await until(() => report().refusedCount === 1);
  assert.deepEqual(retained(), [["a", "daemon", "it is in use"]]);
  assert.equal(report().refused[0]?.retained, true);
  assert.equal(report().pending, 0);
});
