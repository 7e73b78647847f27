import { isUtf8 } from "node:buffer";
import type { Value } from "./entry.ts";

/** As much of BER (X.690) as distinguished names need: strings, and everything else as it is. */

const octetStringTag = 0x04;
// OCTET STRING, UTF8String, NumericString, PrintableString, IA5String, VisibleString: their octets are the text.
const textTags = new Set([octetStringTag, 0x0c, 0x12, 0x13, 0x16, 0x1a]);

/** The text of an encoded string; any other value stays encoded. */
export function fromBer(bytes: Buffer): Value {
  const content = bytes.subarray(headLength(bytes));
  const whole = bytes.length >= 2 && lengthOf(bytes) === content.length;
  return whole && textTags.has(bytes[0] ?? 0) && isUtf8(content) ? content.toString() : new Uint8Array(bytes);
}

/** Octets, encoded. */
export function octetString(content: Uint8Array): Uint8Array {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.of(octetStringTag, ...size, ...content);
}

const headLength = (bytes: Uint8Array): number => {
  const first = bytes[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
};

function lengthOf(bytes: Uint8Array): number {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return first;
  return bytes.subarray(2, headLength(bytes)).reduce((length, byte) => length * 256 + byte, 0);
}
