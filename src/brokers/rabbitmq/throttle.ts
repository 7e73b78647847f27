import { backoff } from "../../core/util/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

/** The wait after the first action, and the longest wait, in milliseconds. */
const waits = { first: 2 * 60_000, longest: 60 * 60_000 };

/**
 * Limits an action: returns true if it is due. The wait is two minutes at first, doubles each time, and is at most an
 * hour.
 */
export function throttle({ monotonic }: Pick<Clock, "monotonic">): () => boolean {
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
