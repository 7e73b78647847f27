import { isUtf8 } from "node:buffer";

/**
 * A strict reader of the part of BER (X.690) that LDAP uses. Every length is definite and ends within the surrounding
 * element. Hostile bytes therefore cause neither a loop nor the use of more memory than they have. (The reader of
 * ldapts trusts its lengths.) `what` names the element in the error.
 */
export class BerReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** True while elements are left. */
  get more(): boolean {
    return this.#at < this.#end;
  }

  /** The tag of the next element; undefined at the end. */
  get tag(): number | undefined {
    return this.more ? this.#bytes[this.#at] : undefined;
  }

  /** The elements within the next one, which must have this tag. */
  inside(tag: number, what: string): BerReader {
    const start = this.#step(tag, what);
    return new BerReader(this.#bytes, start, this.#at);
  }

  /** The content of the next element, which must have this tag: a view, not a copy. */
  bytes(tag: number, what: string): Buffer {
    const start = this.#step(tag, what);
    return this.#bytes.subarray(start, this.#at);
  }

  /** The text of the next OCTET STRING. */
  text(what: string, tag: number = octetString): string {
    const start = this.#step(tag, what);
    return this.#bytes.toString(this.#isAscii(start) ? "latin1" : "utf8", start, this.#at);
  }

  /**
   * The next OCTET STRING: text if it is UTF-8, else a copy of its bytes. A view would keep the whole message in
   * memory.
   */
  textOrBytes(what: string): string | Uint8Array {
    const start = this.#step(octetString, what);
    if (this.#isAscii(start)) return this.#bytes.toString("latin1", start, this.#at);
    const bytes = this.#bytes.subarray(start, this.#at);
    return isUtf8(bytes) ? bytes.toString() : new Uint8Array(bytes);
  }

  /** The next INTEGER (or ENUMERATED) of at most 32 bits. */
  integer(what: string, tag: number = integer): number {
    const content = this.bytes(tag, what);
    if (content.length < 1 || content.length > 4) throw wrong(`${what} is a number of ${content.length} bytes`);
    return content.readIntBE(0, content.length);
  }

  /** The next BOOLEAN. */
  boolean(what: string): boolean {
    const content = this.bytes(boolean, what);
    if (content.length !== 1) throw wrong(`${what} is a boolean of ${content.length} bytes`);
    return content[0] !== 0;
  }

  /** Skips the next element; returns the start of its content. */
  #step(tag: number, what: string): number {
    const found = this.tag;
    if (found !== tag)
      throw wrong(`${what}: expected tag ${hex(tag)}, found ${found === undefined ? "nothing" : hex(found)}`);
    const bytes = this.#bytes;
    const short = bytes[this.#at + 1] ?? 0x80;
    // Nearly all lengths are short, and a directory has millions of them.
    const head = short < 0x80 ? undefined : readHead(bytes, this.#at, this.#end);
    const start = head?.start ?? this.#at + 2;
    const length = head?.length ?? short;
    if ((short >= 0x80 && !head) || length > this.#end - start)
      throw wrong(`${what} is longer than the element around it`);
    this.#at = start + length;
    return start;
  }

  /**
   * True if the element just passed is short and ASCII, as nearly every value is: decoding is several times faster
   * then.
   */
  #isAscii(start: number): boolean {
    if (this.#at - start > 64) return false;
    for (let at = start; at < this.#at; at++) if ((this.#bytes[at] as number) > 0x7f) return false;
    return true;
  }
}

export const sequence = 0x30;
export const set = 0x31;
export const octetString = 0x04;
export const enumerated = 0x0a;
export const boolean = 0x01;
const integer = 0x02;

/**
 * The start and the stated length of the content of an element. Undefined if its head is not within the bytes before
 * `end`.
 */
export function readHead(bytes: Uint8Array, at: number, end: number): { start: number; length: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined || at + 1 >= end) return undefined;
  if (first < 0x80) return { start: at + 2, length: first };
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw wrong(`a length of ${count === 0 ? "no" : count} bytes`);
  const start = at + 2 + count;
  if (start > end) return undefined;
  let length = 0;
  for (const byte of bytes.subarray(at + 2, start)) length = length * 256 + byte;
  return { start, length };
}

/** The element with a tag and a content of less than 2^32 bytes. */
export function encoded(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const octets = [length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  const size = octets.slice(octets.findIndex((octet) => octet > 0));
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 | size.length, ...size];
  const element = new Uint8Array(head.length + length);
  element.set(head);
  element.set(content, head.length);
  return element;
}

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, "0")}`;

const wrong = (what: string): Error => new Error(`malformed BER: ${what}`);
