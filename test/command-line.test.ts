import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { page, pageFile } from "../scripts/command-line.ts";

test("the page of the command line shows the commands' own help: npm run docs", () => {
  assert.equal(readFileSync(join(import.meta.dirname, "..", pageFile), "utf8"), page());
});
