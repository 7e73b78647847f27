/** A source of time: the real one, or one that a test owns. */
export interface Clock {
  /** The wall time, in milliseconds since 1970. It may jump. */
  now(): number;
  /** Milliseconds, with fractions, from an arbitrary start; they never go back. For pace, backoff and deadlines. */
  monotonic(): number;
  /** Waits a number of `milliseconds`; resolves early, without an error, when `signal` aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
