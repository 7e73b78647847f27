import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../util/json.ts";
import {
  aboutOf,
  canonical,
  contestedCell,
  contestedRow,
  coverOf,
  entryKey,
  isRefused,
  partKey,
  refusalOf,
  refusedCell,
  rowHash,
} from "./cells.ts";

test("equal rows are equal bytes for any order of their columns", () => {
  assert.equal(canonical({ b: [1, { d: null, c: "é" }], a: true }), '{"a":true,"b":[1,{"c":"é","d":null}]}');
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (row) => {
      const turned = Object.fromEntries(Object.entries(row).reverse());
      assert.equal(canonical(turned as Json), canonical(row as Json));
      assert.equal(canonical(JSON.parse(canonical(row as Json))), canonical(row as Json));
    }),
  );
});

test("names are sorted by their UTF-16 units, as in RFC 8785", () => {
  assert.equal(canonical({ "\u20ac": 1, "\r": 2, "1": 3, "\ud83d\ude00": 4 }), '{"\\r":2,"1":3,"€":1,"😀":4}');
});

test("a column without a value is left out, an item without one is null", () => {
  assert.equal(canonical({ a: undefined, b: [undefined] }), '{"b":[null]}');
});

test("a number that JSON does not know is an error that shows it", () => {
  assert.throws(() => canonical({ a: Number.NaN }), /NaN is not a JSON number/);
});

test("a refusal is never taken for a row", () => {
  assert.ok(isRefused(refusedCell("mac: not a mac address")));
  assert.deepEqual(aboutOf(refusedCell("two are wrong", ["mac", "ip", "mac"])), ["ip", "mac"]);
  assert.equal(refusalOf(refusedCell("two are wrong", ["mac", "ip"])), "two are wrong");
  assert.deepEqual(aboutOf(refusedCell("why\u001fmac")), []);
  assert.equal(refusalOf(refusedCell("why")), "why");
  assert.ok(!isRefused(canonical({ why: "!" })));
});

test("a duplicate claim names the row that it refuses, and is about nothing", () => {
  const cell = contestedCell("claimed by two", "{}");
  assert.ok(isRefused(cell));
  assert.equal(refusalOf(cell), "claimed by two");
  assert.deepEqual(aboutOf(cell), []);
  assert.equal(contestedRow(cell), rowHash("{}"));
  assert.equal(contestedRow(refusedCell("why", ["mac"])), undefined);
  assert.equal(contestedRow(refusedCell("why\u001f\u001fhash")), undefined);
});

test("the entry's own key covers the keys of its rows", () => {
  assert.equal(coverOf(partKey("u1", "10.0.0.7/32")), entryKey("u1"));
  assert.equal(coverOf(entryKey("u1")), "u1");
});

test("rows that differ have names that differ", () => {
  assert.notEqual(rowHash('{"a":1}'), rowHash('{"a":2}'));
  assert.match(rowHash("{}"), /^[0-9a-f]{16}$/);
});
