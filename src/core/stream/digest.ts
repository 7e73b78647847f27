import { hash } from "node:crypto";
import type { Cell } from "./cells.ts";

/** The number of buckets of a table's digest. The first ten bits of the SHA-256 of a key choose its bucket. */
export const bucketCount = 1024;
const modulus = 1n << 256n;

/** One past the largest key hash. */
export const hashEnd = 2 ** 32;

/** The position of a key in its table for comparisons: the first 32 bits of its SHA-256, an integer in [0, 2^32). */
export const keyHash = (key: string): number => hash("sha256", key, "buffer").readUInt32BE(0);

/** The hash of a row of a service, a 256-bit integer. */
export const cellHash = (service: string, key: string, cell: Cell): bigint =>
  BigInt(`0x${hash("sha256", JSON.stringify([service, key, cell]))}`);

/** The range of key hashes of a bucket, as [from, to). */
export const bucketRange = (bucket: number, buckets = bucketCount): [from: number, to: number] => [
  (bucket * hashEnd) / buckets,
  ((bucket + 1) * hashEnd) / buckets,
];

/**
 * The digest of a table: per bucket the sum modulo 2^256 of SHA-256(service, key, cell). The change of a row costs one
 * subtraction and one addition, at any size of the table. In a sum, a row that is counted twice does not cancel out.
 */
export class Digest {
  readonly #service: string;
  readonly #buckets: bigint[];
  readonly #counts: number[];
  /** The buckets in hexadecimal; a change updates one of them. */
  readonly #texts: string[];
  #count = 0;
  #root: string | undefined;

  /** Makes the digest of an empty table. The number of buckets is a power of two, and the same at both ends of a stream. */
  constructor(service: string, buckets = bucketCount) {
    this.#service = service;
    this.#buckets = new Array<bigint>(buckets).fill(0n);
    this.#counts = new Array<number>(buckets).fill(0);
    this.#texts = this.#buckets.map(textOf);
  }

  /** Applies the change of one key: its cell before and after, null for none. */
  change(key: string, before: Cell | null, after: Cell | null): void {
    if (before === after) return;
    const bucket = Math.floor((keyHash(key) / hashEnd) * this.#buckets.length);
    let sum = this.#buckets[bucket] ?? 0n;
    if (before !== null) sum -= cellHash(this.#service, key, before);
    if (after !== null) sum += cellHash(this.#service, key, after);
    sum = ((sum % modulus) + modulus) % modulus;
    this.#buckets[bucket] = sum;
    this.#texts[bucket] = textOf(sum);
    const more = (after === null ? 0 : 1) - (before === null ? 0 : 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + more;
    this.#count += more;
    this.#root = undefined;
  }

  /** Recomputes one bucket from every cell in its range of key hashes. */
  recompute(bucket: number, cells: Iterable<readonly [key: string, cell: Cell]>): void {
    this.#count -= this.#counts[bucket] ?? 0;
    this.#counts[bucket] = 0;
    this.#buckets[bucket] = 0n;
    this.#texts[bucket] = textOf(0n);
    this.#root = undefined;
    for (const [key, cell] of cells) this.change(key, null, cell);
  }

  /** Saves the present state, and returns a function that restores it, for a transaction that is rolled back. */
  saved(): () => void {
    const [buckets, texts, counts] = [[...this.#buckets], [...this.#texts], [...this.#counts]];
    const [count, root] = [this.#count, this.#root];
    return () => {
      for (const [bucket, sum] of buckets.entries()) this.#buckets[bucket] = sum;
      for (const [bucket, text] of texts.entries()) this.#texts[bucket] = text;
      for (const [bucket, rows] of counts.entries()) this.#counts[bucket] = rows;
      this.#count = count;
      this.#root = root;
    };
  }

  /** The number of keys. */
  get count(): number {
    return this.#count;
  }

  /** The digest of the whole table, 64 hexadecimal digits. */
  get root(): string {
    this.#root ??= hash("sha256", `${this.#count}\n${this.#texts.join("")}`);
    return this.#root;
  }

  /** The digests of the buckets, each of 64 hexadecimal digits. */
  buckets(): string[] {
    return [...this.#texts];
  }
}

const textOf = (sum: bigint): string => sum.toString(16).padStart(64, "0");
