import assert from "node:assert/strict";
import { test } from "node:test";
import { tooLongToDiff } from "./diff-limit.ts";

test("a text of too many lines or characters is not compared", () => {
  assert.equal(tooLongToDiff("\n".repeat(100_000)), false);
  assert.equal(tooLongToDiff("\n".repeat(100_001)), true);
  assert.equal(tooLongToDiff("x".repeat(8 << 20)), false);
  assert.equal(tooLongToDiff("x".repeat((8 << 20) + 1)), true);
  assert.equal(tooLongToDiff(""), false);
});
