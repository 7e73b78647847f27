import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readEvent } from "./event.ts";

const uuid = "0A1b2c3d-0000-4000-8000-000000000001";
const entryDN = ["CN=a, dc=x"];

test("an event is read into entries before and after, with normal names", () => {
  const event = readEvent([
    "h1",
    { entryDN, entryUUID: [uuid], CommonName: ["a"] },
    { entryDN: ["cn=b,dc=x"], entryUUID: [uuid], cn: ["b"], CN: ["c"], mail: [] },
    { who: "alice", why: "a new name", more: [1] },
  ]);
  assert.deepEqual(event, {
    hash: "h1",
    before: {
      uuid: uuid.toLowerCase(),
      dn: "CN=a, dc=x",
      attributes: new Map([
        ["entryuuid", [uuid]],
        ["cn", ["a"]],
      ]),
    },
    after: {
      uuid: uuid.toLowerCase(),
      dn: "cn=b,dc=x",
      attributes: new Map([
        ["entryuuid", [uuid]],
        ["cn", ["b", "c"]],
      ]),
    },
    who: "alice",
    why: "a new name",
  });
});

test("a name or uuid missing on one side is taken from the other", () => {
  const { before, after } = readEvent(["h", { entryDN }, { entryUUID: [uuid], cn: ["a"] }, null]);
  assert.equal(after?.dn, "CN=a, dc=x");
  assert.equal(before?.uuid, uuid.toLowerCase());
  assert.equal(readEvent(["h", { entryDN: ["cn=a/b,dc=x"] }, null, null]).before?.uuid, "cn=a\\2fb,dc=x");
  assert.equal(readEvent(["h", { entryDN, entryUUID: ["no uuid"] }, null, null]).before?.uuid, "cn=a,dc=x");
});

test("a value is text whenever it can be, as in LDIF", () => {
  const said = { entryDN, description: [{ base64: "w6k=" }], jpegPhoto: [{ base64: "/9g=" }], "x;binary": ["a"] };
  const { attributes } = readEvent(["h", null, { ...said, cn: ["\ud800"] }, null]).after ?? assert.fail();
  assert.deepEqual(attributes.get("description"), ["é"]);
  assert.deepEqual(attributes.get("jpegphoto"), [Uint8Array.of(255, 216)]);
  assert.deepEqual(attributes.get("x;binary"), [Uint8Array.of(97)]);
  assert.deepEqual(attributes.get("cn"), ["\ufffd"]);
});

test("an invalid event is reported with its place and its rule", () => {
  const wrong = (body: unknown): string => {
    try {
      readEvent(body);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("it is read");
  };
  assert.equal(wrong({}), "not an event: expected [hash, before, after, additional]");
  assert.equal(wrong(["", { entryDN }, null, 1]), "not an event: hash: expected an id");
  assert.equal(wrong(["h", null, null, 1]), "not an event: it has neither attributes before nor after");
  assert.equal(wrong(["h", { cn: ["a"] }, null, 1]), "not an event: it has no entryDN (RFC 5020)");
  assert.equal(wrong(["h", { entryDN: ["a", "b"] }, null, 1]), "not an event: before.entryDN: expected one text");
  assert.match(wrong(["h", null, { entryDN: ["a"] }, 1]), /^not an event: after\.entryDN: "a" is not a DN: /);
  assert.match(wrong(["h", null, { entryDN: [""] }, 1]), /expected the name of an entry, found ""$/);
  assert.equal(
    wrong(["h", { entryDN, "a b": ["c"] }, null, 1]),
    'not an event: before: "a b" is not the name of an attribute',
  );
  assert.match(wrong(["h", { entryDN, cn: "a" }, null, 1]), /^not an event: before\.cn: /);
});

test("any message is read or refused with an error, and pollutes nothing", () => {
  const attributes = fc.oneof(
    fc.constant(null),
    fc.dictionary(fc.oneof(fc.constantFrom("entryDN", "__proto__", "constructor", "cn"), fc.string()), fc.anything()),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.tuple(fc.string(), attributes, attributes, fc.anything())), (body) => {
      try {
        readEvent(body);
      } catch (error) {
        assert.match((error as Error).message, /^not an event: /);
      }
      assert.equal(({} as Record<string, unknown>).cn, undefined);
    }),
  );
});
