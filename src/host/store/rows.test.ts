import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { simulatedService } from "../../../test/fixtures/host.ts";
import { runs } from "../../../test/hostile.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import { canonical, refusedCell } from "../../core/stream/cells.ts";
import { Digest, hashEnd } from "../../core/stream/digest.ts";
import { StreamWriter } from "../../core/stream/transcriber-end.ts";
import { atOnce } from "../../core/util/slices.ts";
import { storedRows } from "./rows.ts";

function scene(context: TestContext) {
  const database = emptyStore();
  context.after(() => database.close());
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const { table } = definition;
  const open = () => storedRows(database, "dhcp", table);
  return { database, open, rows: open() };
}
const cell = (name: string, number: number): string => canonical({ name, ip: `10.0.0.${number}` });
const say = (rows: ReturnType<typeof storedRows>, ...changes: [string, string | null][]): void =>
  rows.write({ kind: "rows", rows: changes, staged: false }, 1);

test("a recomputed digest equals the stored one despite changes during the reading", (context) => {
  const { rows, open } = scene(context);
  const keys = fc.integer({ min: 0, max: 40 }).map((number) => `k${number}`);
  const change = fc.tuple(keys, fc.option(fc.integer({ min: 0, max: 255 }).map((number) => cell("a", number))));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.array(change, { maxLength: 60 }), (before, during) => {
      say(rows, ...before);
      const reading = rows.recompute(1);
      for (const one of during) {
        for (let steps = 40; steps > 0; steps--) reading.next();
        say(rows, one);
      }
      atOnce(reading);
      const again = open();
      atOnce(again.recompute(1));
      assert.equal(rows.digest.root, again.digest.root);
      assert.equal(rows.digest.count, again.digest.count);
    }),
    { numRuns: runs(30) },
  );
});

test("a row that damage put under another hash is found and moved back", (context) => {
  const { database, rows, open } = scene(context);
  say(rows, ["a", cell("a", 1)], ["b", cell("b", 2)], ["c", cell("c", 3)]);
  const { root } = rows.digest;
  database.exec("UPDATE row SET hash = CASE key WHEN 'a' THEN -5 WHEN 'b' THEN 1099511627776 ELSE 7 END");
  for (const read of [open(), rows]) {
    atOnce(read.recompute(1));
    assert.equal(read.digest.root, root);
    assert.equal(read.digest.count, 3);
  }
  const asOf = { state: [], clock: 0 };
  const part = new StreamWriter("dhcp", new CellTable("dhcp"), { epoch: 1 }).part(0, 2 ** 32, asOf);
  rows.write({ kind: "part", part }, 1);
  assert.equal(rows.digest.count, 0);
});

test("an unreadable row is forgotten, and a stale refusal is judged again", (context) => {
  const { database, rows } = scene(context);
  say(rows, ["a", refusedCell("no")], ["b", cell("b", 2)]);
  database.exec(
    `UPDATE row SET applied = 'nonsense', retained_by = NULL, detail = NULL;
     UPDATE row SET retained_by = 'directory', detail = 'old' WHERE key <> 'a'`,
  );
  atOnce(rows.recompute(1));
  const kept = database.prepare("SELECT key, applied, retained_by, detail FROM row ORDER BY key").all();
  assert.deepEqual(
    kept.map((row) => ({ ...row })),
    [
      { key: "a", applied: null, retained_by: "directory", detail: "no" },
      { key: "b", applied: null, retained_by: null, detail: null },
    ],
  );
});

test("a digest is restored with its transaction", () => {
  const digest = new Digest("dhcp");
  digest.change("a", null, "{}");
  const { root, count } = digest;
  const restore = digest.saved();
  digest.change("a", "{}", '{"x":1}');
  digest.change("b", null, "{}");
  assert.notEqual(digest.root, root);
  restore();
  assert.deepEqual([digest.root, digest.count], [root, count]);
  digest.change("a", "{}", null);
  assert.equal(digest.root, new Digest("dhcp").root);
});

test("a part leaves its range with just its rows", (context) => {
  const { rows, database } = scene(context);
  say(rows, ["k", cell("a", 1)], ["gone", cell("b", 2)]);
  const table = new CellTable("dhcp");
  table.apply([["k", cell("c", 3)]]);
  const part = new StreamWriter("dhcp", table, { epoch: 1 }).part(0, hashEnd, { state: [], clock: 0 });
  rows.write({ kind: "part", part }, 0);
  assert.equal(rows.digest.root, table.digest.root);
  const kept = database.prepare("SELECT key, desired FROM row WHERE desired IS NOT NULL").all();
  assert.deepEqual(
    kept.map(({ key, desired }) => [key, desired]),
    [["k", cell("c", 3)]],
  );
});

test("an entry refused as a whole retains its rows, also in a repair", (context) => {
  const { rows, database } = scene(context);
  say(rows, ["u/1", cell("a", 1)], ["u/2", cell("b", 2)]);
  database.exec("UPDATE row SET applied = desired");
  const table = new CellTable("dhcp");
  table.apply([["u", refusedCell("no owner")]]);
  const part = new StreamWriter("dhcp", table, { epoch: 1 }).part(0, hashEnd, { state: [], clock: 0 });
  rows.write({ kind: "part", part }, 0);
  const kept = database
    .prepare("SELECT key, retained_by, detail, pending FROM row WHERE applied IS NOT NULL ORDER BY key")
    .all();
  assert.deepEqual(
    kept.map(({ key, retained_by, detail, pending }) => [key, retained_by, detail, pending]),
    [
      ["u/1", "directory", "no owner", 0],
      ["u/2", "directory", "no owner", 0],
    ],
  );
});

test("pieces of a change are removed once it is applied", (context) => {
  const { rows, database } = scene(context);
  rows.write({ kind: "stage", rows: [["a", cell("a", 1)]], first: true }, 1);
  rows.write({ kind: "rows", rows: [["b", cell("b", 2)]], staged: true }, 1);
  assert.equal(rows.digest.count, 2);
  assert.equal(database.prepare("SELECT count(*) AS n FROM staged").get()?.n, 0);
});

test("a key without a row is forgotten", (context) => {
  const { rows, database } = scene(context);
  say(rows, ["a", cell("a", 1)]);
  say(rows, ["a", null]);
  assert.equal(database.prepare("SELECT count(*) AS n FROM row").get()?.n, 0);
});
