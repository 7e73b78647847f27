import type { Cell, CellChange } from "./cells.ts";
import { bucketCount, Digest, hashEnd, keyHash } from "./digest.ts";
import { messageLimit, partLimit } from "./messages.ts";
import { partOf, type Range, rangesWithout, sums } from "./ranges.ts";

/** The content of a range that ends at `to`: these rows, and in the `same` ranges the rows that the host has. */
export interface Part {
  readonly to: number;
  readonly rows: [key: string, cell: Cell][];
  readonly same?: [from: number, to: number][];
}

/** The most rows that are compared with sums of a host for one part: some 20 ms. */
const mostCompared = 10_000;

interface Placed {
  readonly key: string;
  readonly hash: number;
  readonly cell: Cell;
}

/** A table in memory: cells by key, with its digest, read by ranges of key hashes. */
export class CellTable {
  readonly digest: Digest;
  readonly #service: string;
  readonly #bucketSize: number;
  readonly #buckets: Map<string, Cell>[];

  /** Makes an empty table. The number of buckets is a power of two, and the same at both ends of a stream. */
  constructor(service: string, buckets = bucketCount) {
    this.digest = new Digest(service, buckets);
    this.#service = service;
    this.#bucketSize = hashEnd / buckets;
    this.#buckets = Array.from({ length: buckets }, () => new Map());
  }

  get size(): number {
    return this.digest.count;
  }

  get(key: string): Cell | undefined {
    return this.#bucketOf(key).get(key);
  }

  set(key: string, cell: Cell | null): void {
    const bucket = this.#bucketOf(key);
    this.digest.change(key, bucket.get(key) ?? null, cell);
    if (cell === null) bucket.delete(key);
    else bucket.set(key, cell);
  }

  apply(changes: Iterable<CellChange>): void {
    for (const [key, cell] of changes) this.set(key, cell);
  }

  /** Replaces the content of a range of key hashes by these rows, except in the `same` ranges within it. */
  replace({
    from,
    to,
    rows,
    same = [],
  }: Omit<Part, "same"> & { from: number; same?: readonly Range[] | undefined }): void {
    for (const range of rangesWithout([from, to], same)) {
      for (const { key } of [...this.#inHashOrder(...range)]) this.set(key, null);
    }
    this.apply(rows);
  }

  /** The sums of equal parts of a range. */
  sums([from, to]: Range, parts: number): string[] {
    const cells = [...this.#inHashOrder(from, to)].map(({ key, cell }) => [key, cell] as const);
    return sums(this.#service, cells, [from, to], parts);
  }

  *entries(): Generator<readonly [key: string, cell: Cell]> {
    for (const bucket of this.#buckets) yield* bucket;
  }

  /**
   * The rows from a key hash on, as many as one part may carry, and the end of their range: `to` or before. Keys of one
   * hash stay together, so that a range has all of them or none. A host that sent its sums (of equal parts of the
   * range) gets only the parts that differ.
   */
  part(
    from: number,
    to: number,
    { rows: mostRows = partLimit, bytes: mostBytes = messageLimit } = {},
    have: readonly string[] = [],
  ): Part {
    const rows: [string, Cell][] = [];
    const same: [number, number][] = [];
    let bytes = 0;
    let compared = 0;
    let last: number | undefined;
    /** Returns true if there was room. */
    const take = ({ key, hash, cell }: Placed): boolean => {
      const size = key.length + cell.length;
      const full = rows.length >= mostRows || bytes + size > mostBytes;
      if (full && rows.length > 0 && hash !== last) return false;
      rows.push([key, cell]);
      bytes += size;
      last = hash;
      return true;
    };
    const all = this.#inHashOrder(from, to);
    let next = all.next();
    for (const [number, sum] of (have.length > 0 ? have : [undefined]).entries()) {
      const [start, end] = partOf([from, to], Math.max(1, have.length), number);
      if (sum !== undefined) {
        if (compared > mostCompared) return { to: start, rows, same };
        const here: Placed[] = [];
        for (; !next.done && next.value.hash < end; next = all.next()) here.push(next.value);
        compared += here.length;
        // A range with more rows than a part can carry is not compared. Otherwise a host that lacks nearly all of a
        // large table would make us hash all of it.
        if (here.length <= mostRows && this.#sum(here) === sum) {
          const before = same.at(-1);
          if (before?.[1] === start) before[1] = end;
          else same.push([start, end]);
          continue;
        }
        for (const row of here) if (!take(row)) return { to: row.hash, rows, same };
      } else {
        for (; !next.done; next = all.next()) if (!take(next.value)) return { to: next.value.hash, rows };
      }
    }
    return have.length > 0 ? { to, rows, same } : { to, rows };
  }

  #sum(rows: readonly Placed[]): string | undefined {
    const cells = rows.map(({ key, cell }) => [key, cell] as const);
    return sums(this.#service, cells, [0, hashEnd], 1)[0];
  }

  *#inHashOrder(from: number, to: number): Generator<Placed, undefined> {
    const end = Math.min(Math.ceil(to / this.#bucketSize), this.#buckets.length);
    for (let bucket = Math.floor(from / this.#bucketSize); bucket < end; bucket++) {
      const found: Placed[] = [];
      for (const [key, cell] of this.#buckets[bucket] ?? []) {
        const hash = keyHash(key);
        if (hash >= from && hash < to) found.push({ key, hash, cell });
      }
      yield* found.sort((a, b) => a.hash - b.hash);
    }
    return undefined;
  }

  #bucketOf(key: string): Map<string, Cell> {
    const hash = keyHash(key);
    const bucket = this.#buckets[Math.floor(hash / this.#bucketSize)];
    if (!bucket) throw new Error(`no bucket for key hash ${hash}`);
    return bucket;
  }
}
