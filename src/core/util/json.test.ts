import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyCharacter } from "../../../test/any-text.ts";
import { runs } from "../../../test/hostile.ts";
import { readJson } from "./json.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("any JSON that is not absurdly deep is read as it was written", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: anyCharacter }), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(readJson(bytes(text)), JSON.parse(text));
    }),
    { numRuns: runs(500) },
  );
  const brackets = JSON.stringify(['[{"'.repeat(1000), "\\", '\\"[']);
  assert.deepEqual(readJson(bytes(brackets)), JSON.parse(brackets));
  const many = `[${"[],{},".repeat(1000)}0]`;
  assert.deepEqual(readJson(bytes(many)), JSON.parse(many));
});

test("endless nesting is refused before it is parsed", () => {
  for (const opening of ["[", '{"a":', '[{"a\\"]":']) {
    assert.throws(() => readJson(bytes(opening.repeat(2_000_000))), /more than 500 deep/);
  }
});

test("invalid JSON or UTF-8 is an error", () => {
  for (const wrong of [bytes(""), bytes("]".repeat(1000)), bytes('"\\'), Uint8Array.of(0x22, 0xff, 0x22)]) {
    assert.throws(() => readJson(wrong));
  }
});
