import assert from "node:assert/strict";
import { test } from "node:test";
import { findings, rules } from "./words/rules.ts";

for (const rule of Object.values(rules)) {
  test(rule.says, () => {
    assert.ok(rule.files.length > 10);
    assert.deepEqual(Object.fromEntries(findings(rule)), {});
  });
}

test("an old term in code is no finding, one in prose is", () => {
  const page = 'The row is `loaded\nor owed`.\n\n```json\n{ "loaded": 1 }\n```\n\nIt was loaded.\n';
  assert.deepEqual(rules.terms?.wrongIn(page), ['line 8: "loaded", say: applied']);
});
