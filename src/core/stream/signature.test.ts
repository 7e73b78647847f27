import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { readPublicKey, signed, signingKey, writePublicKey, wrongSignature } from "./signature.ts";

const newKey = () => signingKey(generateKeyPairSync("ed25519").privateKey);
const bytes = (text: string): Buffer => Buffer.from(text);
const [ours, next, theirs] = [newKey(), newKey(), newKey()];
const message = { trigger: 1, service: "dhcp", epoch: 7, seq: 3, kind: "rows", rows: [["k", '{"name":"é"}']] };
const body = JSON.stringify(message);

test("a signed message has two members more, and any trusted key may sign", () => {
  const { key, signature, ...rest } = JSON.parse(signed(body, ours));
  assert.deepEqual(rest, message);
  assert.deepEqual([key, Buffer.from(signature, "base64").length], [ours.name, 64]);
  for (const by of [ours, next]) assert.equal(wrongSignature(bytes(signed(body, by)), [ours, next]), undefined);
});

test("an unsigned message, or one of another key, is refused with the reason", () => {
  assert.equal(wrongSignature(bytes(body), [ours]), "it is not signed");
  assert.equal(
    wrongSignature(bytes(signed(body, theirs)), [ours]),
    `it names the key ${theirs.name}, which is not trusted`,
  );
  const inOurName = signed(body, { ...theirs, name: ours.name });
  assert.equal(wrongSignature(bytes(inOurName), [ours]), `its signature by the key ${ours.name} is wrong`);
  assert.match(wrongSignature(bytes(signed(body, ours)), []) ?? "", /not trusted/);
});

test("a signature does not fit another message", () => {
  const other = signed(JSON.stringify({ ...message, seq: 4 }), ours);
  const moved = signed(body, ours).slice(0, -104) + other.slice(-104);
  assert.match(wrongSignature(bytes(moved), [ours]) ?? "", /its signature by the key .* is wrong/);
});

test("a signed body that differs in any byte is refused", () => {
  const good = bytes(signed(body, ours));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (place, flip) => {
      const bad = Buffer.from(good);
      bad[place] = (bad[place] ?? 0) ^ flip;
      return wrongSignature(bad, [ours]) !== undefined;
    }),
  );
});

test("a signed body that is cut or extended is refused", () => {
  const good = bytes(signed(body, ours));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 200 }), (place, more) => {
      const bad = [good.subarray(place + 1), good.subarray(0, place), Buffer.concat([more, good])];
      return [...bad, Buffer.concat([good, more])].every((one) => wrongSignature(one, [ours]) !== undefined);
    }),
  );
});

test("no body makes the look at its signature fail", () => {
  const tails = fc.constantFrom("", ',"signature":"', '"}', `,"key":"${ours.name}"`, signed(body, ours).slice(-104));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), tails), { maxLength: 6 }), (parts) => {
      assert.equal(typeof wrongSignature(bytes(parts.join("")), [ours]), "string");
    }),
  );
});

test("a public key is written as 44 characters and read back the same", () => {
  const text = writePublicKey(ours.key);
  assert.equal(text.length, 44);
  const { name, key } = readPublicKey(text);
  assert.ok(name === ours.name && key.equals(ours.key));
  assert.throws(() => readPublicKey("MC4CAQAwBQYDK2VwBCIEIA"), /44 characters of base64, found 22$/);
});
