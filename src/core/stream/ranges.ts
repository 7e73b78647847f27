import type { Cell } from "./cells.ts";
import { cellHash, keyHash } from "./digest.ts";

/** The sums by which a host describes its content of a range, so that only differences are sent. */

/** A range of key hashes, [from, to). */
export type Range = readonly [from: number, to: number];

const modulus = 1n << 128n;

/** One part, by its number, of a range that is divided into equal parts. */
export const partOf = ([from, to]: Range, parts: number, number: number): Range => [
  from + Math.ceil((number * (to - from)) / parts),
  from + Math.ceil(((number + 1) * (to - from)) / parts),
];

/**
 * The sum of the hashes of the cells in each of a number of equal parts of a range, modulo 2^128: 32 hexadecimal
 * digits.
 */
export function sums(
  service: string,
  cells: Iterable<readonly [key: string, cell: Cell]>,
  [from, to]: Range,
  parts: number,
): string[] {
  const totals = new Array<bigint>(parts).fill(0n);
  for (const [key, cell] of cells) {
    const part = Math.floor(((keyHash(key) - from) * parts) / (to - from));
    totals[part] = (totals[part] ?? 0n) + cellHash(service, key, cell);
  }
  return totals.map((total) => (total % modulus).toString(16).padStart(32, "0"));
}

/** The rest of a range without these ranges, which are in order and within it. */
export function rangesWithout([from, to]: Range, excluded: readonly Range[]): Range[] {
  const left: Range[] = [];
  let start = from;
  for (const [excludedFrom, excludedTo] of excluded) {
    if (excludedFrom > start) left.push([start, excludedFrom]);
    start = Math.max(start, excludedTo);
  }
  return start < to ? [...left, [start, to]] : left;
}
