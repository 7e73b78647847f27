import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { commentOf } from "../scripts/api/comment.ts";
import { gapsOf } from "../scripts/api/gaps.ts";
import { doors as files, type Item, readDoors } from "../scripts/api/model.ts";
import { apiPage, pageFile } from "../scripts/api/page.ts";
import { tablesFile, withTables } from "../scripts/api/tables.ts";

// The front doors, as the declarations of the package show them.

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
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

test("each example of a doc comment compiles, or stands in a file of examples", (t) => {
  const examples = doors.flatMap(({ items }) => items.flatMap((item) => commentOf(item).examples));
  assert.ok(examples.length > 15, `only ${examples.length} examples were found`);
  const folder = mkdtempSync(join(tmpdir(), "trigger-examples-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // Values of every door are there, and what a service is given.
  const names = doors.map(({ name, items }) => {
    const values = items.filter(({ kind }) => ["Function", "Variable"].includes(kind)).map((item) => item.name);
    return `import { ${[...new Set(values), ...(name === "trigger" ? ["z"] : [])].join(", ")} } from "${name}";`;
  });
  const given = "declare const host: import('trigger').Host; declare const signal: AbortSignal;";
  for (const [index, example] of examples.entries()) {
    const code = example.replace(/^```\w+\n|```$/g, "");
    const own = /^import /m.test(code);
    if (own) assert.ok(read("examples/first-service/services/gate.test.ts").includes(code.trim()), code);
    else writeFileSync(join(folder, `${index}.ts`), [...names, given, code, "export {};"].join("\n"));
  }
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, [join(root, `src/${file}.ts`)]]));
  const compilerOptions = { paths, noUnusedLocals: false, typeRoots: [join(root, "node_modules/@types")] };
  const config = { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"], exclude: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  assert.equal(stdout, "");
});

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
