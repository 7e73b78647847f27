import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gapsOf } from "../scripts/api/gaps.ts";
import { type Item, readDoors } from "../scripts/api/model.ts";
import { apiPage, pageFile } from "../scripts/api/page.ts";
import { tablesFile, withTables } from "../scripts/api/tables.ts";

// The front doors, as the declarations of the package show them.

const read = (file: string): string => readFileSync(join(import.meta.dirname, "..", file), "utf8");
const doors = readDoors();
const [trigger] = doors;
assert.ok(trigger);

for (const door of doors) {
  test(`each export, member and parameter of ${door.name} has a comment, each type a name`, () => {
    assert.ok(door.items.length > 8, `only ${door.items.length} exports were found`);
    assert.deepEqual(gapsOf(door), []);
  });

  test(`the page of ${door.name} is the one of its doc comments: npm run docs`, () => {
    assert.equal(read(pageFile(door)), apiPage(door));
  });
}

test("the tables of docs/add-a-service.md are those of the doc comments: npm run docs", () => {
  const page = read(tablesFile);
  assert.equal(page, withTables(page, trigger));
  const tables = [...page.matchAll(/<!-- table: (\w+) -->/g)].map(([, name]) => name);
  assert.deepEqual(tables, ["Entry", "Directory", "Run", "Rows", "Host"]);
});

test("types of zod are shown only where the user gives a schema", () => {
  const textOf = ({ excerptTokens, members = [] }: Item): string =>
    [...excerptTokens.map(({ text }) => text), ...members.map(textOf)].join("");
  const shown = trigger.items.filter((item) => item.kind !== "Variable" && /\bz\.|zod/i.test(textOf(item)));
  const names = [...new Set(shown.map(({ name }) => name))].sort();
  assert.deepEqual(names, ["PlainService", "TableDeclaration", "column", "service"]);
});
