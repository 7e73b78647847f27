import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { bucketCount, bucketRange, Digest, hashEnd, keyHash } from "./digest.ts";

const digestOf = (rows: Iterable<readonly [string, string]>, service = "dhcp"): Digest => {
  const digest = new Digest(service);
  for (const [key, cell] of rows) digest.change(key, null, cell);
  return digest;
};
const tables = fc.dictionary(fc.string(), fc.string({ minLength: 1 })).map((rows) => Object.entries(rows));

test("the digest of a table does not depend on the order of its rows", () => {
  fc.assert(fc.property(tables, (rows) => assert.equal(digestOf(rows).root, digestOf(rows.toReversed()).root)));
});

test("a row that comes and goes leaves the digest as it was", () => {
  fc.assert(
    fc.property(tables, fc.string(), (rows, cell) => {
      const digest = digestOf(rows);
      digest.change("another key", null, cell);
      digest.change("another key", cell, `${cell}!`);
      digest.change("another key", `${cell}!`, null);
      assert.equal(digest.root, digestOf(rows).root);
      assert.equal(digest.count, rows.length);
    }),
  );
});

test("a row that was counted twice does not cancel itself", () => {
  const once = digestOf([["k", "{}"]]);
  const twice = digestOf([
    ["k", "{}"],
    ["k", "{}"],
  ]);
  assert.notEqual(twice.root, once.root);
  assert.notDeepEqual(twice.buckets(), new Digest("dhcp").buckets());
});

test("key, cell and service all count, and where one ends and the next begins", () => {
  const roots = [
    digestOf([["ab", "c"]]),
    digestOf([["a", "bc"]]),
    digestOf([["ab", "c"]], "dns"),
    digestOf([["ab", "d"]]),
    digestOf([]),
  ].map(({ root }) => root);
  assert.equal(new Set(roots).size, roots.length);
});

test("a bucket's digest is the sum of SHA-256 over service, key and cell", () => {
  const bucket = Math.floor(keyHash("k") / 2 ** 22);
  const sha256 = createHash("sha256").update('["dhcp","k","{}"]').digest("hex");
  assert.equal(digestOf([["k", "{}"]]).buckets()[bucket], sha256);
});

test("the buckets' ranges lie end to end over all key hashes", () => {
  let next = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const [from, to] = bucketRange(bucket);
    assert.equal(from, next);
    next = to;
  }
  assert.equal(next, hashEnd);
});

test("a bucket whose rows are all gone moves the root when recomputed", () => {
  const digest = new Digest("dhcp");
  const empty = digest.root;
  digest.change("k", null, "{}");
  assert.notEqual(digest.root, empty);
  digest.recompute(bucketOf("k"), []);
  assert.deepEqual([digest.root, digest.count], [empty, 0]);
});

test("a bucket that is made again after a failed commit counts its rows once", () => {
  const digest = new Digest("dhcp");
  digest.change("k", null, "{}");
  const { root } = digest;
  const restore = digest.saved();
  digest.change("k", "{}", null);
  restore();
  digest.recompute(bucketOf("k"), [["k", "{}"]]);
  assert.deepEqual([digest.root, digest.count], [root, 1]);
});

const bucketOf = (key: string): number => Math.floor((keyHash(key) / hashEnd) * bucketCount);
