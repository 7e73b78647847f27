import { backoff } from "../../core/util/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

/** The wait after the first time, and the longest one, in milliseconds. */
const waits = { first: 2 * 60_000, longest: 60 * 60_000 };

/** Gives true if an action may be repeated: two minutes after the first time, then after twice the wait each time, an hour at most. */
export function rests({ monotonic }: Pick<Clock, "monotonic">): () => boolean {
  let times = 0;
  let until = Number.NEGATIVE_INFINITY;
  return () => {
    const now = monotonic();
    if (now < until) return false;
    times += 1;
    until = now + backoff(times, waits);
    return true;
  };
}
