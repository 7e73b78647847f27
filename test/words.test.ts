import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findings, root, rules } from "./words/rules.ts";

// Files that do not keep a rule yet, by rule. The list only ever gets shorter: `node test/words/shorten.ts` does that.
const notYet: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(join(root, "test/words/not-yet.json"), "utf8"),
);

for (const [name, rule] of Object.entries(rules)) {
  test(rule.says, () => {
    assert.ok(rule.files.length > 10);
    const wrong = [...findings(rule)].filter(([file]) => !notYet[name]?.includes(file));
    assert.deepEqual(Object.fromEntries(wrong), {});
  });
}

test("an old term in code is no finding, one in prose is", () => {
  const page = 'The row is `loaded\nor owed`.\n\n```json\n{ "loaded": 1 }\n```\n\nIt was loaded.\n';
  assert.deepEqual(rules.terms?.wrongIn(page), ['line 8: "loaded", say: applied']);
});
