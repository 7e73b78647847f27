import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { runs } from "../../../test/hostile.ts";
import { normalDn } from "../../core/directory/dn.ts";
import type { StoredEntry, Value } from "../../core/directory/entry.ts";
import { uuidOf } from "../../core/directory/identity.ts";
import { readContent } from "./content.ts";
import { writeLdif } from "./write.ts";

const written = (value: Value): string =>
  writeLdif([{ uuid: "", dn: "cn=a", attributes: new Map([["x", [value]]]) }]).split("\n")[3]!;

test("an unsafe value is written in base64", () => {
  for (const value of ["plain", "a: b", "a<b", "-"]) assert.equal(written(value), `x: ${value}`);
  for (const value of [" a", "a ", ":a", "<a", "a\nb", "é", "a\0", Uint8Array.of(0xff)])
    assert.match(written(value), /^x:: /);
  assert.equal(written(""), "x:");
});

const text = fc.oneof(anyText(), fc.stringMatching(/^[ :<a\n\r#]{0,5}$/));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
const values = <T extends Value>(value: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 3, selector: (one) => Buffer.from(one as string).toString("hex") });
const attribute = fc.oneof(
  fc.tuple(
    fc.constantFrom("cn", "x-y", "cn;lang-fr", "a_b"),
    values(
      fc.oneof(
        text,
        bytes.filter((value) => !isUtf8(value)),
      ),
    ),
  ),
  fc.tuple(fc.constantFrom("usercertificate;binary"), values(bytes)),
);
const entry = fc
  .record({ name: text, attributes: fc.array(attribute, { minLength: 1, maxLength: 4 }), uuid: fc.option(fc.uuid()) })
  .map(({ name, attributes, uuid }): StoredEntry => {
    const all = new Map<string, readonly Value[]>([...attributes, ...(uuid ? [["entryuuid", [uuid]] as const] : [])]);
    const dn = `cn=${Buffer.from(name).toString("hex").replace(/../g, "\\$&")},dc=Campus`;
    return { uuid: uuidOf(dn, all), dn, attributes: all };
  });
const entries = fc.uniqueArray(entry, { minLength: 1, maxLength: 5, selector: ({ dn }) => normalDn(dn) });

test("written LDIF reads back the same, with any folding and line ends", () => {
  const fold = (ldif: string): string => ldif.replace(/[^\n]{40}(?=[^\n])/g, "$&\n ");
  const ways = [(ldif: string) => ldif, fold, (ldif: string) => fold(ldif).replaceAll("\n", "\r\n")];
  fc.assert(
    fc.property(entries, fc.constantFrom(...ways), (held, way) => {
      if (new Set(held.map(({ uuid }) => uuid)).size < held.length) return;
      assert.deepEqual(readContent(Buffer.from(way(writeLdif(held))), "x.ldif"), held);
    }),
    { numRuns: runs(300) },
  );
});
