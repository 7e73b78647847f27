import assert from "node:assert/strict";
import { test } from "node:test";
import { BerReader, encoded, octetString } from "./ber.ts";

test("an encoded element of any length is read back", () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000]) {
    const content = Buffer.alloc(length, 7);
    const reader = new BerReader(Buffer.from(encoded(octetString, content)));
    assert.deepEqual(reader.bytes(octetString, "octets"), content);
    assert.equal(reader.more, false);
  }
});

test("an element that ends behind its container is malformed", () => {
  const bytes = encoded(octetString, Buffer.alloc(300)).slice(0, 300);
  assert.throws(() => new BerReader(Buffer.from(bytes)).bytes(octetString, "octets"), /malformed BER: octets/);
});
