import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "./table.ts";

test("columns are as wide as their widest cell, numbers stand to the right, and no line ends in spaces", () => {
  const lines = [
    ["HOST", "ROWS", "STATE"],
    ["a", "10000", "well"],
    ["dhcp1", "2", ""],
  ];
  assert.equal(table(lines, { right: [1] }), "HOST    ROWS  STATE\na      10000  well\ndhcp1      2\n");
  assert.equal(table([]), "");
});
