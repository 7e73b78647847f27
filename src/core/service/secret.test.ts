import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { secretsOf, withoutSecrets } from "./secret.ts";

const said = (text: string, ...values: (string | number | readonly string[])[]): string =>
  withoutSecrets(text, secretsOf(values.map((code) => ({ code })) as never, ["code"]));

test("a secret value is masked plain, in JSON, URLs, base64 and hexadecimal", () => {
  const value = 'pass "wörd"?';
  const bytes = Buffer.from(value);
  const forms = [value, JSON.stringify(value).slice(1, -1), bytes.toString("hex"), bytes.toString("hex").toUpperCase()];
  forms.push(bytes.toString("base64url"), encodeURIComponent(value));
  for (const form of forms) assert.equal(said(`<${form}>`, value), "<********>");
  assert.equal(said(`userPassword:: ${bytes.toString("base64")}`, value), "userPassword:: ********");
});

test("overlapping and nested values are masked whole", () => {
  assert.equal(said("x abcdef y", "abc", "bcdef"), "x ******** y");
  assert.equal(said("x abcdef y", "abcdef", "cd"), "x ******** y");
  assert.equal(said("7 and 12", 7, 12), "******** and ********");
  assert.equal(said("a", "", []), "a");
});

test("a masked text has none of the values left, and nothing else changed", () => {
  const value = anyText({ minLength: 1, maxLength: 9 }).filter((text) => !text.includes("*"));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 8 }), fc.string(), (values, between) => {
      const shown = said(values.join(between), ...values);
      for (const one of values) assert.ok(!shown.includes(one), JSON.stringify({ one, shown }));
    }),
  );
  assert.equal(said("nothing of it", "some", "thin"), "no********g of it");
});
