import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./copy.ts";
import { removals } from "./list.ts";
import { pageFile, pageOf } from "./page.ts";
import { without } from "./removal.ts";

const read = (file: string): string => readFileSync(join(root, file), "utf8");

test("each safeguard of the list stands exactly once where the list says", () => {
  const wrong = removals.flatMap((removal) => {
    try {
      const whole = read(removal.file);
      return without(removal, whole) === whole ? [`${removal.id}: its replacement changes nothing`] : [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
  assert.equal(wrong.join("\n\n"), "");
});

test("each safeguard has a unique name, and existing tests or a reason", () => {
  const ids = removals.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { id, tests, equivalent } of removals) {
    assert.equal(tests.length === 0, equivalent !== undefined, id);
    for (const test of tests) assert.ok(existsSync(join(root, test)), `${id}: there is no ${test}`);
  }
});

test("the page of the safeguards shows the list: npm run safeguards -- --page", () => {
  assert.equal(read(pageFile), pageOf(removals));
});
