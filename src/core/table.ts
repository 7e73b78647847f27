import { Digest, hashEnd, sha256 } from "./digest.ts";
import type { Cell, CellChange } from "./row.ts";
import { messageLimit, partLimit } from "./stream.ts";

/** A table in memory: cells by key, its digest kept with it, read by ranges of key hashes. */
export class Table {
  readonly digest: Digest;
  readonly #keyHash: (key: string) => number;
  readonly #bucketSize: number;
  readonly #buckets: Map<string, Cell>[];

  constructor(service: string, hashing = sha256) {
    this.digest = new Digest(service, hashing);
    this.#keyHash = hashing.keyHash;
    this.#bucketSize = hashEnd / hashing.buckets;
    this.#buckets = Array.from({ length: hashing.buckets }, () => new Map());
  }

  get size(): number {
    return this.digest.count;
  }

  get(key: string): Cell | undefined {
    return this.#bucketOf(key).get(key);
  }

  set(key: string, cell: Cell | null): void {
    const bucket = this.#bucketOf(key);
    this.digest.move(key, bucket.get(key) ?? null, cell);
    if (cell === null) bucket.delete(key);
    else bucket.set(key, cell);
  }

  apply(changes: Iterable<CellChange>): void {
    for (const [key, cell] of changes) this.set(key, cell);
  }

  /** Makes a range of key hashes hold just these rows. */
  replace(from: number, to: number, rows: Iterable<readonly [key: string, cell: Cell]>): void {
    const gone = [...this.#inHashOrder(from, to)];
    for (const { key } of gone) this.set(key, null);
    this.apply(rows);
  }

  *entries(): Generator<readonly [key: string, cell: Cell]> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  /**
   * The rows from a key hash on, as many as one part may carry, and where they end: at `to` or before.
   * Keys of one hash are never parted, so that a range says all of them or none.
   */
  part(
    from: number,
    to: number,
    { rows: mostRows = partLimit, bytes: mostBytes = messageLimit } = {},
  ): { to: number; rows: [key: string, cell: Cell][] } {
    const rows: [string, Cell][] = [];
    let bytes = 0;
    let last: number | undefined;
    for (const { key, hash, cell } of this.#inHashOrder(from, to)) {
      const size = key.length + cell.length;
      const full = rows.length >= mostRows || bytes + size > mostBytes;
      if (full && rows.length > 0 && hash !== last) return { to: hash, rows };
      rows.push([key, cell]);
      bytes += size;
      last = hash;
    }
    return { to, rows };
  }

  *#inHashOrder(from: number, to: number): Generator<{ key: string; hash: number; cell: Cell }> {
    const end = Math.min(Math.ceil(to / this.#bucketSize), this.#buckets.length);
    for (let bucket = Math.floor(from / this.#bucketSize); bucket < end; bucket++) {
      const found: { key: string; hash: number; cell: Cell }[] = [];
      for (const [key, cell] of this.#buckets[bucket] ?? []) {
        const hash = this.#keyHash(key);
        if (hash >= from && hash < to) found.push({ key, hash, cell });
      }
      yield* found.sort((a, b) => a.hash - b.hash);
    }
  }

  #bucketOf(key: string): Map<string, Cell> {
    const hash = this.#keyHash(key);
    const bucket = this.#buckets[Math.floor(hash / this.#bucketSize)];
    if (!bucket) throw new Error(`no bucket for key hash ${hash}`);
    return bucket;
  }
}
