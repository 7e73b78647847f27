import type { Clock } from "../../ports/clock.ts";

/**
 * Returns the result of work. Throws after a time, or at the signal; then the work's own signal aborts, and work that
 * ignores it is abandoned.
 */
export async function withinDeadline<T>(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  { milliseconds, what }: { readonly milliseconds: number; readonly what: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const late = new AbortController();
  const within = AbortSignal.any([signal, late.signal]);
  const aborted = new Promise<never>((_, reject) => {
    within.addEventListener("abort", () => reject(within.reason), { once: true });
  });
  clock.sleep(milliseconds, ended.signal).then(() => {
    if (!ended.signal.aborted) late.abort(new Error(`${what} took longer than ${milliseconds / 60_000} min`));
  });
  try {
    within.throwIfAborted();
    return await Promise.race([work(within), aborted]);
  } finally {
    ended.abort("ended");
  }
}
