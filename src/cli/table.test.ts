import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "./table.ts";

test("columns fit their widest cell, numbers to the right, no trailing spaces", () => {
  const lines = [
    ["HOST", "ROWS", "STATE"],
    ["a", "10000", "well"],
    ["dhcp1", "2", ""],
  ];
  assert.deepEqual(table(lines, { right: [1] }), ["HOST    ROWS  STATE", "a      10000  well", "dhcp1      2"]);
  assert.deepEqual(table([]), []);
  const wide = table([
    ["a\u200b", "b"],
    ["a", "b"],
  ]);
  assert.deepEqual(wide, ["a\\u200b  b", "a        b"], "what cannot be seen has the width of its escape");
});
