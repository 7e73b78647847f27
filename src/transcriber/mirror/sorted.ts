import type { SlicedWork } from "../../core/util/slices.ts";

/** The items that are sorted in one step: some milliseconds. */
const ofStep = 10_000;

/** Sorts many items in steps. */
export function* sorted<T>(items: readonly T[], compare: (a: T, b: T) => number, what: string): SlicedWork<T[]> {
  const progress = { what, done: 0, of: items.length };
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += ofStep) {
    runs.push(items.slice(from, from + ofStep).sort(compare));
    yield progress;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let place = 0; place < runs.length; place += 2) {
      merged.push(yield* mergedOf(runs[place] ?? [], runs[place + 1] ?? [], compare, progress));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergedOf<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
  progress: { what: string; done: number; of: number },
): SlicedWork<T[]> {
  const all: T[] = [];
  let [left, right] = [0, 0];
  while (left < a.length || right < b.length) {
    const isLeft = right >= b.length || (left < a.length && compare(a[left] as T, b[right] as T) <= 0);
    all.push((isLeft ? a[left++] : b[right++]) as T);
    if (all.length % ofStep === 0) yield progress;
  }
  return all;
}
