import assert from "node:assert/strict";
import { test } from "node:test";
import { hostScene, row, running, simulatedService } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { type CellChange, contestedCell, refusedCell } from "../../core/stream/cells.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { removalsOf } from "./removals.ts";

const hour = 60 * 60_000;

/** A host with a number of applied rows, of which at most ten an hour may be removed. */
async function manyRows(count: number) {
  const steady = virtualClock(Date.UTC(2026, 10, 22));
  let ahead = 0;
  // As on a machine: wall time in whole milliseconds, monotonic time in fractions.
  const clock = {
    ...steady,
    now: () => Math.floor(steady.now() + ahead),
    monotonic: () => steady.monotonic() * 1.0001 + 0.1,
  };
  const change = (i: number, here: boolean): CellChange => [`k${i}`, here ? row(`m${i}`, `10.0.0.${i}`) : null];
  const rows = (from: number, to: number, here: boolean) =>
    Array.from({ length: to - from }, (_, i) => change(from + i, here));
  const world = await running({ clock, removalLimit: () => 10 }, rows(0, count, true));
  const order = (what: { readonly order: string; readonly [field: string]: unknown }) => world.give(what);
  const approve = (digest?: string) => order({ order: "approve", digest });
  return {
    ...world,
    rows,
    order,
    approve,
    setClock(milliseconds: number) {
      ahead += milliseconds;
    },
  };
}

test("removals beyond the limit are held as one, and additions and changes go on", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, retained, clock } = world;
  await say([...rows(0, 30, false), ["new", row("new", "10.9.9.9")], ["k35", row("changed", "10.0.0.35")]]);
  await until(() => dhcp.served.has("new"));
  assert.equal(dhcp.served.get("k35")?.name, "changed");
  assert.equal(dhcp.served.size, 41);
  assert.equal(report().removals?.rows, 30);
  assert.deepEqual(retained()[0], ["k0", "removals", "30 would be removed, at most 10 an hour"]);
  await clock.advance(3 * hour);
  assert.equal(dhcp.served.size, 41, "time alone does not let them go");
});

test("removals within the limit are done at once, and count for an hour", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, retained, clock } = world;
  await say(rows(0, 8, false));
  await until(() => dhcp.served.size === 32);
  await clock.advance(hour / 2);
  await say(rows(8, 12, false));
  await until(() => report().removals?.rows === 4);
  const many = "4 would be removed after 8 within the hour, at most 10 an hour";
  assert.deepEqual(retained()[0], ["k10", "removals", many]);
  await clock.advance(hour / 2 + 1000);
  await say(rows(12, 20, false));
  await until(() => dhcp.served.size === 24);
  assert.equal(report().removals?.rows, 4);
});

test("a clock that is set forward begins no new hour", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, clock, setClock } = world;
  await say(rows(0, 8, false));
  await until(() => dhcp.served.size === 32);
  setClock(hour);
  await clock.advance(1000);
  await say(rows(8, 12, false));
  await until(() => report().removals?.rows === 4);
});

test("removals counted under a clock a year ahead count one more hour", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, clock, setClock, again, facts } = world;
  const year = 365 * 24 * hour;
  setClock(year);
  await again();
  await clock.advance(1000);
  await until(() => facts()?.full === 0);
  await say(rows(0, 8, false));
  await until(() => dhcp.served.size === 32);
  setClock(-year); // and the host is restarted
  await again();
  await clock.advance(1000);
  await until(() => facts()?.full === 0);
  await say(rows(8, 12, false));
  await until(() => report().removals?.rows === 4);
  await clock.advance(hour);
  await say(rows(12, 20, false));
  await clock.advance(1000);
  await until(() => dhcp.served.size === 24);
  assert.equal(report().removals?.rows, 4);
});

test("an approval covers the removals of its digest, and no later ones", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, approve, logged, clock } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  const first = report().removals?.digest ?? "";
  await say(rows(20, 40, false));
  await clock.advance(1000);
  await until(() => report().removals?.rows === 40);
  await approve(first);
  await until(() => logged.some((line) => line.includes(`nothing waits under ${first}`)));
  await clock.advance(1000);
  assert.equal(dhcp.served.size, 40);
  await approve(report().removals?.digest);
  await clock.advance(1000);
  await until(() => dhcp.served.size === 0);
  assert.equal(report().removals, undefined);
});

test("an approval finds the held removals despite other orders just before it", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, approve, order, clock } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  const digest = report().removals?.digest;
  for (const before of ["approve", "verify", "retry"]) await order({ order: before });
  await approve(digest);
  await clock.advance(1000);
  await until(() => dhcp.served.size === 20);
});

test("an approval overtaken by more removals lets none pass uncounted", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, approve, clock } = world;
  await say(rows(0, 12, false));
  await until(() => report().removals?.rows === 12);
  const shown = report().removals?.digest;
  // One more, which no run has seen yet.
  const before = report().stored?.seq;
  await say(rows(12, 13, false));
  await until(() => report().stored?.seq !== before);
  await approve(shown);
  await until(() => report().removals?.rows === 13);
  await say(rows(13, 19, false));
  await clock.advance(1000);
  await until(() => dhcp.served.size === 34);
  await say(rows(19, 25, false));
  await clock.advance(1000);
  await until(() => report().removals?.rows === 19);
  assert.equal(dhcp.served.size, 34);
});

test("approved removals do not count: the next few are done unasked", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, approve, clock } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  await approve(report().removals?.digest);
  await clock.advance(1000);
  await until(() => dhcp.served.size === 20);
  await say(rows(20, 28, false));
  await clock.advance(1000);
  await until(() => dhcp.served.size === 12);
  assert.equal(report().removals, undefined);
});

test("an approval survives a failed run, and a hold survives a restart", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, approve, clock, again } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  const { digest } = report().removals ?? {};
  await again();
  await until(() => report().removals?.rows === 20);
  assert.equal(dhcp.served.size, 40);
  assert.equal(report().removals?.digest, digest);
  dhcp.controls.before = () => {
    throw new Error("not now");
  };
  await approve(digest);
  await until(() => report().failing);
  dhcp.controls.before = undefined;
  await clock.advance(1000);
  await until(() => dhcp.served.size === 20);
});

test("a held row returns with its entry, and yields to a new claimant", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report, clock } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  await say([["other", row("other", "10.0.0.1")]]);
  await clock.advance(1000);
  await until(() => dhcp.served.has("other"));
  assert.equal(dhcp.served.has("k1"), false);
  await say(rows(2, 20, true));
  await clock.advance(1000);
  await until(() => (report().removals?.rows ?? 0) <= 1);
  assert.equal(dhcp.served.has("k5"), true);
});

test("the stored digest is always that of the held rows", async () => {
  await using world = await manyRows(40);
  const { say, rows, report, clock, database } = world;
  const noted = () => database.prepare("SELECT digest, rows FROM held_removals").get();
  await say(rows(0, 30, false));
  await until(() => report().removals !== undefined);
  await clock.advance(2000);
  await until(() => noted()?.rows === 30);
  await say(rows(3, 5, true));
  await clock.advance(2000);
  await until(() => noted()?.rows === 28);
  assert.equal(noted()?.digest, removalsOf(database, "dhcp").held()?.digest);
  assert.equal(report().removals?.digest, noted()?.digest);
  await say(rows(0, 30, true));
  await clock.advance(2000);
  await until(() => report().removals === undefined);
  assert.equal(noted(), undefined);
});

test("held removals stay held under one digest until they are answered", async () => {
  const limit = { removalLimit: () => 50 };
  const address = (i: number): string => `10.0.${i >> 8}.${i & 255}`;
  const change = (i: number, here: boolean): CellChange => [`k${i}`, here ? row(`m${i}`, address(i)) : null];
  const some = (from: number, to: number, here: boolean) =>
    Array.from({ length: to - from }, (_, i) => change(from + i, here));
  await using world = await running(limit, some(0, 300, true));
  const { say, dhcp, report, retained, clock, again, logged, facts } = world;
  const order = (what: { readonly order: string; readonly [field: string]: unknown }) => world.give(what);
  const stays = async (rows: number) => {
    await clock.advance(2000);
    await until(() => facts()?.full === 0);
    const question = report().removals;
    assert.ok(question);
    assert.equal(question.rows, rows);
    const asHeld = "100 would be removed, at most 50 an hour";
    assert.deepEqual(new Set(retained().map(([, ...reason]) => reason.join())), new Set([`removals,${asHeld}`]));
    const { digest } = question;
    const said = logged.filter((line) => line.includes("lists them here")).at(-1);
    assert.ok(said?.endsWith(`\`trigger approve dhcp ${digest}\` approves them`), said);
    assert.equal(dhcp.served.size, 300);
    return digest;
  };
  await say(some(0, 100, false));
  await until(() => report().removals?.rows === 100);
  await stays(100);
  await say(some(0, 60, true));
  await until(() => report().removals?.rows === 40);
  const digest = await stays(40);
  for (const how of ["down", "kill", "down"] as const) {
    await again(how);
    assert.equal(await stays(40), digest);
    await clock.advance(2 * hour);
  }
  for (const what of ["regen", "retry", "verify", "approve"]) {
    await order({ order: what });
    assert.equal(await stays(40), digest, what);
  }
  await say([change(1000, true)]);
  await until(() => dhcp.served.size === 301);
  await order({ order: "approve", digest });
  await clock.advance(2000);
  await until(() => dhcp.served.size === 261);
  assert.equal(report().removals, undefined);
});

test("the last rows of a table are held at any size until approved", async () => {
  for (const count of [1, 3]) {
    const rows = Array.from({ length: count }, (_, i): [string, string] => [`k${i}`, row(`m${i}`, `10.0.0.${i}`)]);
    await using world = await running({ removalLimit: () => 50 }, rows);
    const { say, dhcp, report, retained, clock, give, again } = world;
    await say(rows.map(([key]) => [key, null]));
    await until(() => report().removals?.rows === count);
    const { digest } = report().removals ?? {};
    assert.deepEqual(retained()[0], [rows[0]?.[0], "removals", "no row would be left"]);
    await again();
    await clock.advance(2 * hour);
    assert.equal(dhcp.served.size, count);
    await give({ order: "approve", digest });
    await clock.advance(1000);
    await until(() => dhcp.served.size === 0);
  }
});

test("the last rows are removed unasked if replaced, allowed before, or under `mayEmpty`", async () => {
  const one: CellChange[] = [["k", row("a", "10.0.0.1")]];
  const gone: CellChange[] = [["k", null]];
  const empties = async (world: Awaited<ReturnType<typeof running>>): Promise<void> => {
    await world.say(gone);
    await world.clock.advance(1000);
    await until(() => world.dhcp.served.size === 0);
  };
  await using renamed = await running({ removalLimit: () => 50 }, one);
  await renamed.say([
    ["k", null],
    ["other", row("a", "10.0.0.2")],
  ]);
  await until(() => renamed.dhcp.served.has("other"));
  assert.deepEqual([renamed.dhcp.served.size, renamed.report().removals], [1, undefined]);
  await using empty = await running({ removalLimit: () => 50, mayEmpty: () => true }, one);
  await empties(empty);
  await using allowed = await running({ removalLimit: () => 50 }, one);
  const allow = { rows: 1, until: allowed.clock.now() + hour };
  await allowed.give({ order: "approve", allow } as never);
  await empties(allowed);
});

test("a held removal stays held when refused, and ends when it yields", async () => {
  const dhcp = simulatedService({ refused: "remove" });
  const world = hostScene(dhcp.definition, { removalLimit: () => 1 });
  const { say, report, clock } = world;
  await say([1, 2, 3].map((i): CellChange => [`k${i}`, row(`m${i}`, `10.0.0.${i}`)]));
  const host = world.up();
  await until(() => dhcp.served.size === 3);
  await clock.advance(1000);
  await say([
    ["k1", null],
    ["k2", null],
  ]);
  await until(() => report().removals?.rows === 2);
  await say([["k1", refusedCell("no owner")]]);
  await until(() => report().stored?.seq === world.telling.seq);
  assert.equal(report().removals?.rows, 2);
  await say([["k4", row("other", "10.0.0.1")]]);
  await clock.advance(1000);
  await until(() => dhcp.served.has("k4"));
  await until(() => report().removals?.rows === 1);
  assert.deepEqual(
    report().refused.map(({ key, by, retained }) => [key, by, retained]),
    [
      ["k1", "directory", false],
      ["k2", "removals", true],
    ],
  );
  await host.down();
  world.end();
});

test("a flood of claims holds back no true revocation", async () => {
  for (const known of [40, 200]) {
    const dhcp = simulatedService({ refused: "remove" });
    const world = hostScene(dhcp.definition, { removalLimit: () => 10 });
    const good = Array.from({ length: known }, (_, i) => row(`m${i}`, `10.0.0.${i}`));
    await world.say(good.map((cell, i): CellChange => [`k${i}`, cell]));
    const host = world.up();
    await until(() => dhcp.served.size === known);
    await world.clock.advance(1000);
    // A member's entry claims every address, in one change with the revocation of two others.
    const contested = good.map((cell, i): CellChange => [`k${i}`, i < 2 ? null : contestedCell("two claim it", cell)]);
    const flood = good.map((_, i): CellChange => [`x/${i}`, contestedCell("two claim it", row("x", `10.0.0.${i}`))]);
    await world.say([...contested, ...flood]);
    await until(() => !dhcp.served.has("k0") && !dhcp.served.has("k1"));
    await until(() => world.report().pending === 0);
    assert.equal(world.report().removals, undefined, "nothing waits for a person");
    assert.equal(dhcp.served.size, known - 2, "no other row is gone");
    await world.say(Array.from({ length: 8 }, (_, i): CellChange => [`k${i + 2}`, null]));
    await world.clock.advance(1000);
    await until(() => dhcp.served.size === known - 10);
    assert.equal(world.report().removals, undefined, "the claims have used up nothing of the hour");
    await host.down();
    world.end();
  }
});

test("an entry that loses many rows at once holds back no other removal", async () => {
  const dhcp = simulatedService();
  const world = hostScene(dhcp.definition, { removalLimit: () => 20 });
  const { say, report, retained, clock } = world;
  const own = (from: number, to: number, here: boolean) =>
    Array.from({ length: to - from }, (_, i): CellChange => {
      return [`m/${from + i}`, here ? row(`m${from + i}`, `10.1.0.${from + i}`) : null];
    });
  const others = (from: number, to: number, here: boolean) =>
    Array.from({ length: to - from }, (_, i): CellChange => {
      return [`k${from + i}`, here ? row(`k${from + i}`, `10.0.0.${from + i}`) : null];
    });
  await say([...own(0, 100, true), ...others(0, 60, true)]);
  const host = world.up();
  await until(() => dhcp.served.size === 160);
  await clock.advance(1000);
  await say([...own(0, 100, false), ...others(0, 10, false)]);
  await until(() => report().removals?.rows === 100);
  await until(() => dhcp.served.size === 150);
  assert.ok(!dhcp.served.has("k9") && dhcp.served.has("m/0"));
  assert.deepEqual(retained()[0], ["m/0", "removals", "100 would be removed, at most 20 an hour"]);
  // What the others lose beyond the limit is held as ever, with all that waits.
  await clock.advance(1000);
  await say(others(10, 21, false));
  await until(() => report().removals?.rows === 111);
  await clock.advance(5000);
  assert.equal(dhcp.served.size, 150);
  await world.give({ order: "approve", digest: report().removals?.digest });
  await until(() => dhcp.served.size === 39);
  await host.down();
  world.end();
});

test("many entries that lose few rows each are held as one", async () => {
  const dhcp = simulatedService();
  const world = hostScene(dhcp.definition, { removalLimit: () => 20 });
  const both = (i: number, here: boolean): CellChange[] =>
    [0, 1].map((n) => [`k${i}/${n}`, here ? row(`k${i}`, `10.${n}.0.${i}`) : null]);
  const all = Array.from({ length: 40 }, (_, i) => i);
  const one = (here: boolean) => all.map((i): CellChange => [`m/${i}`, here ? row("m", `10.2.0.${i}`) : null]);
  await world.say([...all.flatMap((i) => both(i, true)), ...one(true)]);
  const host = world.up();
  await until(() => dhcp.served.size === 120);
  await world.clock.advance(1000);
  await world.say([...all.slice(0, 11).flatMap((i) => both(i, false)), ...one(false)]);
  await until(() => world.report().removals?.rows === 62);
  assert.equal(dhcp.served.size, 120, "beside one that loses many, too");
  await host.down();
  world.end();
});

test("a refused row is no removal", async () => {
  await using world = await manyRows(40);
  const { say, dhcp, report } = world;
  await say(Array.from({ length: 40 }, (_, i): CellChange => [`k${i}`, refusedCell("two claim it")]));
  await until(() => report().refusedCount === 40);
  assert.equal(report().removals, undefined);
  assert.equal(dhcp.served.size, 40);
});

test("removals allowed beforehand are done, up to their number and date", async () => {
  await using world = await manyRows(60);
  const { say, rows, dhcp, report, clock, order } = world;
  await order({ order: "approve", allow: { rows: 30, until: clock.now() + hour } });
  await say(rows(0, 25, false));
  await clock.advance(1000);
  await until(() => dhcp.served.size === 35);
  await say(rows(25, 40, false));
  await clock.advance(1000);
  await until(() => report().removals?.rows === 15);
  await clock.advance(2 * hour);
  await say(rows(25, 40, true));
  await clock.advance(1000);
  await until(() => report().removals === undefined);
  await order({ order: "approve", allow: { rows: 30, until: clock.now() - 1 } });
  await say(rows(25, 40, false));
  await clock.advance(1000);
  await until(() => report().removals?.rows === 15);
});

test("a held service stores rows and writes nothing, also after a restart", async () => {
  await using world = await manyRows(5);
  const { say, dhcp, report, facts, clock, order, again, approve } = world;
  await order({ order: "hold", why: "the daemon is being moved" });
  await until(() => report().held !== undefined);
  await say([["new", row("new", "10.9.9.9")]]);
  await until(() => report().pending > 0);
  await again();
  await clock.advance(5000);
  assert.deepEqual(facts()?.held, { by: "person", detail: "the daemon is being moved" });
  assert.equal(report().heldBy, "person");
  assert.equal(dhcp.served.size, 5);
  await approve();
  await clock.advance(1000);
  await until(() => dhcp.served.size === 6);
});

test("removals up to the limit raise no question", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, report } = world;
  await say(rows(0, 10, false));
  await until(() => dhcp.served.size === 30);
  assert.equal(report().removals, undefined);
});

test("removals allowed beforehand do not count within the hour", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, clock, order, logged } = world;
  await order({ order: "approve", allow: { rows: 20, until: clock.now() + hour } });
  await until(() => logged.some((line) => line.includes("20 rows may be removed")));
  await say(rows(0, 20, false));
  await until(() => clock.advance(1000).then(() => dhcp.served.size === 20));
  await say(rows(20, 30, false));
  await until(() => clock.advance(1000).then(() => dhcp.served.size === 10));
});

test("the same removals are held again when they return", async () => {
  await using world = await manyRows(40);
  const { say, rows, dhcp, clock, report, approve } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  await approve(report().removals?.digest);
  await until(() => clock.advance(1000).then(() => dhcp.served.size === 20));
  await say(rows(0, 20, true));
  await until(() => clock.advance(1000).then(() => dhcp.served.size === 40));
  await say(rows(0, 20, false));
  await until(() => clock.advance(1000).then(() => report().removals?.rows === 20));
  assert.equal(dhcp.served.size, 40);
});

test("a question counts only existing rows", async () => {
  await using world = await manyRows(40);
  const { say, rows, report, database } = world;
  await say(rows(0, 20, false));
  await until(() => report().removals?.rows === 20);
  database.exec("DELETE FROM row WHERE key = 'k0'");
  assert.equal(report().removals?.rows, 19);
});
