import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { plainJson, plainLine, shownLine } from "./shown.ts";

test("a control or invisible character is escaped", () => {
  assert.equal(plainLine("a\u001b[2Jb\u009b\u0000"), "a\\u001b[2Jb\\u009b\\u0000");
  assert.equal(plainLine("\u202eevil\u2066\u2069"), "\\u202eevil\\u2066\\u2069");
  assert.equal(plainLine("cn=rou\u00adt\u200ber\ufe00\u034f"), "cn=rou\\u00adt\\u200ber\\ufe00\\u034f");
  assert.equal(plainLine("a b\u00a0c\u2009\u3000\u2800"), "a b\\u00a0c\\u2009\\u3000\\u2800");
  assert.equal(plainLine("\u{e0041}\ud800\u2028"), "\\u{e0041}\\ud800\\u2028");
  assert.equal(plainLine("two\r\n\tlines, é 中 😀"), "two lines, é 中 😀");
});

test("a line of any length stays one line", () => {
  assert.equal(shownLine(`a\u009b\tb\nforged${"x".repeat(9_000)}`), `a\\u009b\tb\\u000aforged${"x".repeat(9_000)}`);
});

test("a long text is cut, and no half of a character is left", () => {
  assert.equal(plainLine("x".repeat(9), 9), "x".repeat(9));
  assert.equal(plainLine("x".repeat(10), 9), `${"x".repeat(8)}…`);
  fc.assert(
    fc.property(anyText({ maxLength: 40 }), fc.integer({ min: 2, max: 30 }), (text, limit) => {
      const line = plainLine(text, limit);
      assert.ok(line.length <= limit && line.isWellFormed());
      assert.doesNotMatch(line, /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u);
    }),
  );
});

test("JSON for a terminal has no such character, and the same content", () => {
  fc.assert(
    fc.property(fc.dictionary(anyText(), anyText()), (value) => {
      const text = plainJson(value);
      assert.doesNotMatch(text.replaceAll("\n", ""), /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
});
