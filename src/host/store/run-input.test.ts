import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { service, type Table } from "../../core/service/service.ts";
import { type Cell, canonical, refusedCell } from "../../core/stream/cells.ts";
import { removalsOf } from "./removals.ts";
import { storedRows } from "./rows.ts";
import { type RunInput, runInputsOf } from "./run-input.ts";

const now = Date.UTC(2026, 0, 1);
const desk = canonical({ ip: "10.0.0.1" });

function scene(words: Pick<Table, "refused"> = {}) {
  const definition = service({
    row: z.object({ ip: z.string() }),
    unique: ["ip"],
    ...words,
    select: () => undefined,
    run: async () => {},
  });
  const { table } = definition as unknown as { table: Table };
  const database = emptyStore();
  const stored = storedRows(database, "demo", table);
  return {
    give: (options?: { full: boolean }) => runInputsOf(database, "demo").begin(table, options),
    /** Begins a run in which every removal needs approval. */
    giveHolding: (options?: { full: boolean }) =>
      runInputsOf(database, "demo").begin(table, {
        ...options,
        hold: () => void removalsOf(database, "demo").hold({ limit: 0, mayEmpty: false }, now),
      }),
    say: (rows: Record<string, Cell | null>) =>
      stored.write({ kind: "rows", rows: Object.entries(rows), staged: false }, now),
    why: (key: string) => {
      const found = database.prepare("SELECT retained_by, detail FROM row WHERE service = 'demo' AND key = ?").get(key);
      return found?.retained_by ? [found.retained_by, found.detail] : undefined;
    },
  };
}

const keysOf = ({ rows }: RunInput): string[] => [...rows.entries()].map(([key]) => key);

test("of two retained rows with one value a full run is given one", () => {
  const { say, give } = scene();
  say({ a: desk, b: desk, c: canonical({ ip: "10.0.0.3" }) });
  give().finish({}, now);
  say({ a: refusedCell("no owner"), b: refusedCell("no owner") });
  assert.deepEqual(keysOf(give()), ["a", "b", "c"], "a run by changes need not look");
  const full = give({ full: true });
  assert.deepEqual(keysOf(full), ["a", "c"]);
  full.finish({}, now);
  assert.deepEqual(keysOf(give()), ["a", "c"]);
});

test("a held row yields, in a full run, to the row with its address", () => {
  const { say, give, giveHolding, why } = scene();
  say({ a: desk, b: canonical({ ip: "10.0.0.2" }) });
  give().finish({}, now);
  say({ b: desk }); // the removal of a from there was lost
  give().finish({}, now);
  say({ a: null });
  giveHolding().finish({}, now);
  assert.equal(why("a")?.[0], "removals");
  assert.deepEqual(keysOf(give()), ["a", "b"], "a run by changes need not look");
  const full = giveHolding({ full: true });
  assert.deepEqual(keysOf(full), ["b"]);
  full.finish({}, now);
  assert.deepEqual(keysOf(give()), ["b"]);
  assert.equal(why("a"), undefined);
});

test("a held removal whose row its daemon has lost raises no question", () => {
  const { say, give, giveHolding, why } = scene({ refused: "remove" });
  say({ a: desk });
  give().finish({}, now);
  say({ a: refusedCell("no owner") });
  giveHolding().finish({}, now);
  assert.equal(why("a")?.[0], "removals");
  giveHolding({ full: true }).finish({ held: [{ key: "a", why: "a foreign record is there" }] }, now);
  assert.deepEqual(why("a"), ["directory", "no owner"]);
});

test("a row that its daemon refused and removed counts as a removal", () => {
  const { say, give, why } = scene();
  say({ a: desk });
  give().finish({}, now);
  say({ a: canonical({ ip: "10.0.0.9" }) });
  const refused = [{ key: "a", why: "no such thing", gone: true }];
  assert.deepEqual(give().finish({ refused }, now), { more: -1, removed: 1 });
  assert.deepEqual(why("a"), ["daemon", "no such thing"]);
  assert.deepEqual(keysOf(give()), []);
});

test("a refusal during a run retains the run's row unless it removes", () => {
  const { say, give, why } = scene({ refused: ["ip"] });
  say({ a: desk });
  const input = give();
  say({ a: refusedCell("owner: is unknown", ["owner"]) });
  input.finish({}, now);
  assert.deepEqual([keysOf(give()), why("a")], [["a"], ["directory", "owner: is unknown"]]);
  say({ a: refusedCell("ip: is no address", ["ip"]) });
  assert.deepEqual(keysOf(give()), []);
});

test("a refused group does not wait if one of its rows has changed", () => {
  const { say, give, why } = scene();
  say({ a: desk });
  give().finish({}, now);
  say({ a: null, b: desk, c: canonical({ ip: "bad" }) });
  const input = give();
  say({ b: null });
  const refused = (key: string) => ({ key, why: "syntax error" });
  const left = input.without([[refused("a"), refused("b")], [refused("c")]], now);
  assert.deepEqual(["a", "b", "c"].map(why), [undefined, undefined, ["check", "syntax error"]]);
  assert.deepEqual(keysOf(left), []);
});

test("a retained row that yields its value is no removal", () => {
  const { say, give } = scene();
  say({ a: desk });
  give().finish({}, now);
  say({ a: refusedCell("no owner"), b: desk });
  assert.deepEqual(give().finish({}, now), { more: 0, removed: 0 });
});

test("a full run tries rows that were in conflict", () => {
  const { say, give, why } = scene();
  say({ a: desk });
  give().finish({ held: [{ key: "a", why: "a foreign record" }] }, now);
  assert.deepEqual(why("a"), ["conflict", "a foreign record"]);
  assert.deepEqual(keysOf(give()), []);
  assert.deepEqual(keysOf(give({ full: true })), ["a"]);
});

test("a row refused or held with an odd reason waits like any other", () => {
  for (const said of [undefined, null, new Error("no room"), 7]) {
    const { say, give, why } = scene();
    say({ a: desk, b: canonical({ ip: "10.0.0.2" }) });
    const reason = said as never;
    give().finish({ refused: [{ key: "a", why: reason }], held: [{ key: "b", why: reason }] }, now);
    assert.deepEqual(
      [why("a"), why("b")],
      [
        ["daemon", String(said)],
        ["conflict", String(said)],
      ],
    );
  }
});
