import type { Clock } from "../../ports/clock.ts";

/** The wait after the first time, and the longest one, milliseconds. */
const first = 2 * 60_000;
const longest = 60 * 60_000;

/** Gives true when something may be done again: it rests for two minutes, then twice as long after each time, for an hour at most. */
export function rests({ monotonic }: Pick<Clock, "monotonic">): () => boolean {
  let rest = first;
  let until = Number.NEGATIVE_INFINITY;
  return () => {
    const now = monotonic();
    if (now < until) return false;
    until = now + rest;
    rest = Math.min(rest * 2, longest);
    return true;
  };
}
