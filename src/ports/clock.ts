/** Time, so that a test can own it. */
export interface Clock {
  /** Wall time, milliseconds since 1970. It may jump. */
  now(): number;
  /** Milliseconds and parts of them that never go back; for pace, backoff and deadlines. */
  monotonic(): number;
  /** Waits a number of milliseconds; returns early, without throwing, when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
