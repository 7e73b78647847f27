import { createHash } from "node:crypto";
import type { Cell } from "./row.ts";

/** Buckets of a table's digest: by the first ten bits of the SHA-256 of the key. */
export const bucketCount = 1024;
const bucketShift = 22;
const modulus = 1n << 256n;

/** One past the largest key hash. */
export const hashEnd = 2 ** 32;

/** Where a key stands in its table for comparison: the first 32 bits of its SHA-256, an integer in [0, 2^32). */
export const keyHash = (key: string): number => createHash("sha256").update(key).digest().readUInt32BE(0);

/** The range of key hashes of a bucket, as [from, to). */
export const bucketRange = (bucket: number): [from: number, to: number] => [
  bucket * 2 ** bucketShift,
  (bucket + 1) * 2 ** bucketShift,
];

/**
 * The digest of a table: per bucket the sum modulo 2^256 of SHA-256(service, key, cell).
 * A sum, so that one change costs one subtraction and one addition whatever the size of the table, and so that a row counted twice does not cancel itself.
 */
export class Digest {
  readonly #service: string;
  readonly #buckets: bigint[] = new Array<bigint>(bucketCount).fill(0n);
  #count = 0;

  constructor(service: string) {
    this.#service = service;
  }

  /** Tells of one key: its cell before and after, null for none. */
  move(key: string, before: Cell | null, after: Cell | null): void {
    if (before === after) return;
    const bucket = keyHash(key) >>> bucketShift;
    let sum = this.#buckets[bucket] ?? 0n;
    if (before !== null) sum -= this.#hash(key, before);
    if (after !== null) sum += this.#hash(key, after);
    this.#buckets[bucket] = ((sum % modulus) + modulus) % modulus;
    this.#count += (after === null ? 0 : 1) - (before === null ? 0 : 1);
  }

  /** The number of keys. */
  get count(): number {
    return this.#count;
  }

  /** The digest of the whole table, 64 hexadecimal digits. */
  get root(): string {
    return createHash("sha256").update(`${this.#count}\n`).update(this.buckets().join("")).digest("hex");
  }

  /** The digests of the buckets, each of 64 hexadecimal digits. */
  buckets(): string[] {
    return this.#buckets.map((sum) => sum.toString(16).padStart(64, "0"));
  }

  #hash(key: string, cell: Cell): bigint {
    const hash = createHash("sha256")
      .update(JSON.stringify([this.#service, key, cell]))
      .digest("hex");
    return BigInt(`0x${hash}`);
  }
}
