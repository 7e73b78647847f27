import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import { until } from "../../../test/until.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { isRefused } from "../../core/stream/cells.ts";
import type { Clock } from "../../ports/clock.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { mover } from "./table-writer.ts";
import { type Moved, transcription } from "./transcription.ts";

const { table } = service({
  row: z.object({ ip: z.string() }),
  unique: ["ip"],
  select: (entry) => ({ ip: entry.one("ip") }),
  async run() {},
});
const device = (index: number, ip: string): StoredEntry => stored(`m${index}`, `cn=m${index},dc=x`, { ip });
const devices = (count: number, net: string): StoredEntry[] =>
  Array.from({ length: count }, (_, index) => device(index, `${net}${index}`));

/** A mover on a clock by which every look at it takes a millisecond: 20 steps make a slice. */
function scene({ stopped = false } = {}) {
  let passed = 0;
  const seen: { busy: boolean; settling: boolean; root: string }[] = [];
  const log: string[] = [];
  const told: Moved[] = [];
  const stop = new AbortController();
  const tables = transcription(new Map([["dhcp", table as Table]]), { timezone: "UTC" });
  const clock: Clock = {
    now: () => 0,
    monotonic: () => ++passed,
    async sleep() {
      seen.push({ busy: moves.busy, settling: moves.settling, root: tables.table("dhcp").digest.root });
      if (stopped) stop.abort();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const moves = mover({
    ...{ tables, clock, steady: { now: () => passed }, signal: stop.signal },
    moved: (moved) => told.push(moved),
    log: (line) => log.push(line),
  });
  return { tables, moves, seen, log, told };
}

test("a large change is taken a slice at a time: the tables stand still until they settle, and are spoken of when all is done", async () => {
  const { tables, moves, seen, log, told } = scene();
  const before = tables.table("dhcp").digest.root;
  const taken: string[] = [];
  const first = moves.move(
    (tables, now) => tables.refresh(devices(3000, "a"), now),
    ["1"],
    () => taken.push("first"),
  );
  // A change that comes meanwhile waits its turn; a look at the clock is left to the end.
  const second = moves.move(
    (tables, now) => tables.change([device(7, "b7")], [], now),
    ["2"],
    () => taken.push("second"),
  );
  await moves.look();
  assert.deepEqual(moves.asOf.state, []);
  assert.equal(told.length, 0);
  assert.match(moves.progress?.what ?? "", /^comparing the directory/);
  await Promise.all([first, second]);
  assert.deepEqual(taken, ["first", "second"]);
  assert.deepEqual(
    told.map(({ services }) => services.get("dhcp")?.length),
    [3000, 1],
  );
  assert.deepEqual(moves.asOf.state, ["2"]);
  assert.equal(moves.progress, undefined);
  assert.ok(seen.length > 100);
  assert.ok(seen.every(({ busy, settling, root }) => busy && (settling || root === before)));
  assert.ok(seen.some(({ settling }) => settling));
  assert.ok(log.some((line) => /: [\d,]+ of 3,000$/.test(line)));
  assert.equal([...tables.table("dhcp").entries()].filter(([, cell]) => isRefused(cell)).length, 0);
});

test("a small change is taken at once", () => {
  const { moves, told } = scene();
  void moves.move((tables, now) => tables.refresh(devices(1, "a"), now), ["1"]);
  assert.equal(told.length, 1);
  assert.equal(moves.busy, false);
});

test("nothing is said of a change that the end of the process cuts short", async () => {
  const { moves, told } = scene({ stopped: true });
  await moves.move((tables, now) => tables.refresh(devices(3000, "a"), now), ["1"]);
  assert.equal(told.length, 0);
  assert.deepEqual(moves.asOf.state, []);
});

test("a stop during a long change ends the changes that wait for it", { timeout: 10_000 }, async () => {
  const { moves, told } = scene({ stopped: true });
  const refresh = moves.move((tables, now) => tables.refresh(devices(3000, "a"), now), ["1"]);
  const waiting = [["2"], ["3"]].map((state) =>
    moves.move((tables, now) => tables.change([device(7, "b7")], [], now), state),
  );
  await Promise.all([refresh, ...waiting]);
  await moves.move((tables, now) => tables.change([device(8, "b8")], [], now), ["4"]);
  await moves.look();
  assert.equal(told.length, 0);
  assert.deepEqual(moves.asOf.state, []);
  assert.equal(moves.busy, true); // what was cut short is neither old nor new: no epoch begins on it
});

test("a change that throws frees the tables for the next one", async () => {
  const { moves, told } = scene();
  await assert.rejects(
    moves.move(() => {
      throw new Error("no");
    }, ["1"]),
    /no/,
  );
  await moves.move((tables, now) => tables.refresh(devices(2, "a"), now), ["2"]);
  await until(() => told.length === 1);
});

test("of several changes that wait, one at a time moves the tables", async () => {
  const { tables, moves } = scene();
  let moving = 0;
  const refresh = (net: string) =>
    moves.move(
      function* (tables, now) {
        moving += 1;
        assert.equal(moving, 1);
        const moved = yield* tables.refresh(devices(1000, net), now);
        moving -= 1;
        return moved;
      },
      [net],
    );
  await Promise.all(["a", "b", "c", "d"].map(refresh));
  assert.deepEqual(moves.asOf.state, ["d"]);
  assert.equal(tables.table("dhcp").digest.count, 1000);
});

test("tables that have moved are told under the state that they are of", async () => {
  const tables = transcription(new Map([["dhcp", table as Table]]), { timezone: "UTC" });
  const states: string[][] = [];
  const moves = mover({
    ...{ tables, clock: virtualClock(0), steady: { now: () => 0 }, signal: new AbortController().signal, log() {} },
    moved: () => states.push([...moves.asOf.state]),
  });
  for (const state of ["1", "2"]) await moves.move((tables, now) => tables.refresh(devices(1, state), now), [state]);
  assert.deepEqual(states, [["1"], ["2"]]);
});
