import type { Clock } from "../../ports/clock.ts";

const minute = 60_000;

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The time between two digests, in milliseconds. */
  readonly digestInterval: number;
  /** The moment at which the clock changes a row, milliseconds since 1970; undefined if there is none. */
  nextTime(): number | undefined;
  /** The moment at which other work is due, in monotonic milliseconds; undefined if none is. */
  due(): number | undefined;
  tick(): Promise<void>;
  digest(): void;
}

/** The ticks of the clock and the digests, until the signal aborts. */
export interface Schedule {
  /** Computes the due time again: it may be earlier now. */
  wake(): void;
  /** Resolves after the signal aborts. */
  readonly done: Promise<void>;
}

/** Ticks whenever work is due, and at least once a minute, to notice a clock that was set. */
export function keepSchedule(options: ScheduleOptions): Schedule {
  const { clock, signal, digestInterval, nextTime, due, tick, digest } = options;
  let sleep = new AbortController();
  const wake = (): void => sleep.abort();
  signal.addEventListener("abort", wake, { once: true });

  async function run(): Promise<void> {
    let digestAt = clock.monotonic() + digestInterval;
    while (!signal.aborted) {
      sleep = new AbortController();
      const now = clock.monotonic();
      const time = (nextTime() ?? Number.POSITIVE_INFINITY) - clock.now();
      const other = (due() ?? Number.POSITIVE_INFINITY) - now;
      await clock.sleep(Math.max(0, Math.min(minute, digestAt - now, time, other)), sleep.signal);
      if (signal.aborted) return;
      await tick();
      if (signal.aborted) return;
      if (clock.monotonic() < digestAt) continue;
      digest();
      digestAt = clock.monotonic() + digestInterval;
    }
  }
  return { wake, done: run() };
}
