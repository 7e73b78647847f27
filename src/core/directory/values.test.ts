import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { exactValue, normalValue } from "./values.ts";

test("case, spaces and compatible forms make no difference", () => {
  assert.equal(normalValue("  Ada   LOVELACE "), "ada lovelace");
  assert.equal(normalValue("Ada\u00a0Lovelace"), "ada lovelace");
  assert.equal(normalValue("e\u0301cole"), normalValue("ÉCOLE"));
  assert.equal(normalValue("ﬁle"), "file");
  assert.equal(normalValue("ΟΔΟΣ"), normalValue("οδοσ"));
  assert.equal(normalValue("   "), "");
});

test("names that a directory holds side by side stay apart", () => {
  assert.notEqual(normalValue("Straße"), normalValue("Strasse"));
  assert.notEqual(normalValue("ı"), normalValue("i"));
  assert.notEqual(normalValue("école"), normalValue("ecole"));
  assert.notEqual(normalValue("rou\u00adter"), normalValue("router"));
  assert.notEqual(normalValue("Ada\tLovelace"), normalValue("Ada Lovelace"));
});

test("an exact value keeps its case and folds its spaces", () => {
  assert.equal(exactValue(" /Home  A "), "/Home A");
});

test("every character is normal once it has been made normal, alone and between others", () => {
  for (let point = 0; point <= 0x10ffff; point++) {
    const character = String.fromCodePoint(point);
    if (/[\p{Cn}\p{Co}\p{Cs}\p{Script=Han}\p{Script=Hangul}]/u.test(character)) continue;
    for (const text of [character, `a${character}\u0301 B`]) {
      const once = normalValue(text);
      if (normalValue(once) !== once) assert.fail(`U+${point.toString(16)} in ${JSON.stringify(text)}`);
    }
  }
});

test("a normal value is normal", () => {
  fc.assert(
    fc.property(anyText(), (text) => {
      assert.equal(normalValue(normalValue(text)), normalValue(text));
      assert.equal(exactValue(exactValue(text)), exactValue(text));
    }),
  );
});

test("a value of many megabytes is compared like any other", () => {
  const text = "Aé ".repeat(500_000);
  assert.equal(normalValue(text).length, text.length - 1);
  assert.equal(normalValue("Ab  ".repeat(500_000)).length, 1_499_999);
  assert.equal(normalValue("Ab ".repeat(5_000_000)).length, 14_999_999);
});
