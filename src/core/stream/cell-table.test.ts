import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CellTable } from "./cell-table.ts";
import { hashEnd, keyHash } from "./digest.ts";
import { partLimit } from "./messages.ts";

const keys = fc.integer({ min: 0, max: 40 }).map((number) => `key${number}`);
const changes = fc.array(fc.tuple(keys, fc.option(fc.constantFrom("{}", '{"a":1}', "!refused"))));
const point = fc.integer({ min: 0, max: hashEnd });
const ranges = fc.tuple(point, point).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const tableOf = (from: Iterable<readonly [string, string | null]>): CellTable => {
  const table = new CellTable("dhcp");
  table.apply(from);
  return table;
};
const sorted = (table: CellTable) => [...table.entries()].sort();
const inside = (key: string, from: number, to: number) => keyHash(key) >= from && keyHash(key) < to;

test("a table holds the last cell of each key, with their digest", () => {
  fc.assert(
    fc.property(changes, (told) => {
      const expected = [...new Map(told)]
        .flatMap(([key, cell]) => (cell === null ? [] : [[key, cell] as const]))
        .sort();
      const table = tableOf(told);
      assert.deepEqual(sorted(table), expected);
      assert.equal(table.size, expected.length);
      assert.equal(table.digest.root, tableOf(expected).digest.root);
      for (const [key, cell] of new Map(told)) assert.equal(table.get(key), cell ?? undefined);
    }),
  );
});

test("a replaced range holds just its new rows, and the rest is untouched", () => {
  fc.assert(
    fc.property(changes, changes, ranges, (mine, theirs, [from, to]) => {
      const table = tableOf(mine);
      const before = sorted(table);
      const other = tableOf(theirs);
      const given = sorted(other).filter(([key]) => inside(key, from, to));
      table.replace({ from, to, rows: given.map(([key, cell]) => [key, cell]) });
      assert.deepEqual(sorted(table), [...before.filter(([key]) => !inside(key, from, to)), ...given].sort());
    }),
  );
});

test("parts of any size, asked for end to end, make another table equal", () => {
  fc.assert(
    fc.property(changes, changes, fc.integer({ min: 1, max: 5 }), (mine, theirs, rows) => {
      const table = tableOf(mine);
      const other = tableOf(theirs);
      for (let from = 0; from < hashEnd; ) {
        const part = other.part(from, hashEnd, { rows, bytes: 1000 });
        assert.ok(part.to > from, "a part ends beyond where it began");
        assert.ok(part.rows.length <= rows);
        table.replace({ from, ...part });
        from = part.to;
      }
      assert.equal(table.digest.root, other.digest.root);
    }),
  );
});

test("parts that spare equal ranges make a table equal, without rows of those", () => {
  const sizes = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(changes, changes, changes, fc.integer({ min: 1, max: 5 }), sizes, (both, mine, theirs, rows, parts) => {
      const table = tableOf([...both, ...mine]);
      const other = tableOf([...both, ...theirs]);
      for (let from = 0; from < hashEnd; ) {
        const have = table.sums([from, hashEnd], parts);
        const part = other.part(from, hashEnd, { rows, bytes: 1000 }, have);
        assert.ok(part.to > from, "a part ends beyond where it began");
        for (const [start, end] of part.same ?? []) {
          assert.ok(from <= start && start < end && end <= part.to);
          assert.ok(!part.rows.some(([key]) => inside(key, start, end)));
        }
        table.replace({ from, ...part });
        from = part.to;
      }
      assert.equal(table.digest.root, other.digest.root);
    }),
  );
});

test("of a large table with one row that differs only its neighbours travel", () => {
  const rows = Array.from({ length: 2000 }, (_, i): [string, string] => [`k${i}`, "{}"]);
  const table = tableOf(rows);
  const other = tableOf([...rows, ["k77", '{"x":1}']]);
  const part = other.part(0, hashEnd, {}, table.sums([0, hashEnd], 512));
  assert.ok(part.rows.length < 20 && part.rows.some(([key]) => key === "k77"));
  assert.equal(part.to, hashEnd);
});

test("a part carries at most 500 rows and as many bytes as a message", () => {
  const table = tableOf(Array.from({ length: 1200 }, (_, number) => [`key${number}`, "{}"]));
  assert.equal(table.part(0, hashEnd).rows.length, partLimit);
  const { rows } = table.part(0, hashEnd, { rows: 500, bytes: 50 });
  const bytes = rows.reduce((sum, [key, cell]) => sum + key.length + cell.length, 0);
  assert.ok(bytes <= 50 && bytes > 50 - "key1000{}".length, `${bytes} bytes`);
});

test("a row larger than a message still travels, alone", () => {
  const table = tableOf([
    ["a", "x".repeat(100)],
    ["b", "y".repeat(100)],
  ]);
  const first = table.part(0, hashEnd, { rows: 500, bytes: 50 });
  assert.equal(first.rows.length, 1);
  assert.equal(table.part(first.to, hashEnd, { rows: 500, bytes: 50 }).rows.length, 1);
});

test("keys of one hash are never parted", () => {
  // Two keys whose SHA-256 begin with the same 32 bits, and one with a far larger hash.
  const [one, two, other] = ["key29902", "key140299", "other0"];
  assert.equal(keyHash(one), keyHash(two));
  const table = tableOf([
    [one, "{}"],
    [two, "{}"],
    [other, "{}"],
  ]);
  assert.deepEqual(table.part(0, hashEnd, { rows: 1, bytes: 1000 }), {
    to: keyHash(other),
    rows: [
      [one, "{}"],
      [two, "{}"],
    ],
  });
});

test("a table has the same rows in a range for any number of buckets", () => {
  fc.assert(
    fc.property(changes, ranges, (changes, [from, to]) => {
      const [few, many] = [new CellTable("dhcp", 2), new CellTable("dhcp")];
      for (const table of [few, many]) table.apply(changes);
      assert.deepEqual(few.part(from, to), many.part(from, to));
      assert.equal(few.digest.buckets().length, 2);
    }),
  );
});

test("a part compares some ten thousand rows, and the next one goes on", () => {
  const table = tableOf(Array.from({ length: 30_000 }, (_, row) => [`key ${row}`, "{}"] as const));
  const same: number[] = [];
  for (let from = 0; from < hashEnd; ) {
    const part = table.part(from, hashEnd, undefined, table.sums([from, hashEnd], 1024));
    assert.deepEqual(part.rows, []);
    same.push(Math.round(((part.to - from) / hashEnd) * 100));
    from = part.to;
  }
  assert.equal(same.length, 3);
  assert.ok(Math.max(...same) < 40, same.join());
});
