import { bucketCount, bucketRange, Digest, hashEnd, keyHash } from "./digest.ts";
import type { Cell, CellChange } from "./row.ts";
import { messageLimit, partLimit } from "./stream.ts";

const bucketSize = hashEnd / bucketCount;

/** A table in memory: cells by key, its digest kept with it, read by ranges of key hashes. */
export class Table {
  readonly digest: Digest;
  readonly #buckets: Map<string, Cell>[] = Array.from({ length: bucketCount }, () => new Map());

  constructor(service: string) {
    this.digest = new Digest(service);
  }

  get size(): number {
    return this.digest.count;
  }

  get(key: string): Cell | undefined {
    return this.#bucket(keyHash(key)).get(key);
  }

  set(key: string, cell: Cell | null): void {
    const bucket = this.#bucket(keyHash(key));
    this.digest.move(key, bucket.get(key) ?? null, cell);
    if (cell === null) bucket.delete(key);
    else bucket.set(key, cell);
  }

  apply(changes: Iterable<CellChange>): void {
    for (const [key, cell] of changes) this.set(key, cell);
  }

  /** Makes a range of key hashes hold just these rows. */
  replace(from: number, to: number, rows: Iterable<readonly [key: string, cell: Cell]>): void {
    for (const key of this.#keys(from, to)) this.set(key, null);
    this.apply(rows);
  }

  *entries(): Generator<readonly [key: string, cell: Cell]> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  /** The rows from a key hash on, as many as one part may carry, and where they end: at `to` or before. */
  part(from: number, to: number): { to: number; rows: [key: string, cell: Cell][] } {
    const rows: [string, Cell][] = [];
    let bytes = 0;
    let reached = from;
    while (reached < to) {
      const end = Math.min(to, bucketRange(Math.floor(reached / bucketSize))[1]);
      const found = this.#keys(reached, end).map((key) => ({ key, hash: keyHash(key), cell: this.get(key) ?? "" }));
      found.sort((a, b) => a.hash - b.hash);
      for (const { key, hash, cell } of found) {
        const full = rows.length >= partLimit || bytes + cell.length > messageLimit;
        if (full && rows.length > 0 && hash !== reached) return { to: hash, rows };
        rows.push([key, cell]);
        bytes += key.length + cell.length;
        reached = hash;
      }
      reached = end;
    }
    return { to, rows };
  }

  #keys(from: number, to: number): string[] {
    const keys: string[] = [];
    for (let bucket = Math.floor(from / bucketSize); bucket < bucketCount && bucket * bucketSize < to; bucket++) {
      for (const key of this.#buckets[bucket]?.keys() ?? []) {
        const hash = keyHash(key);
        if (hash >= from && hash < to) keys.push(key);
      }
    }
    return keys;
  }

  #bucket(hash: number): Map<string, Cell> {
    const bucket = this.#buckets[Math.floor(hash / bucketSize)];
    if (!bucket) throw new Error(`no bucket for key hash ${hash}`);
    return bucket;
  }
}
