import type { Clock } from "../../ports/clock.ts";

const minute = 60_000;

export interface TimekeeperOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How often a digest is said, in milliseconds. */
  readonly digestInterval: number;
  /** When the clock moves a row, milliseconds since 1970. */
  nextTime(): number | undefined;
  /** When something else is to be looked at, in monotonic milliseconds. */
  due(): number | undefined;
  look(): Promise<void>;
  digest(): void;
}

/** Looks at the clock at least once a minute, so that one that jumps is noticed, and at each moment at which something is due. */
export interface Timekeeper {
  /** What is next has moved. */
  nudge(): void;
  /** Resolves after the signal. */
  readonly done: Promise<void>;
}

export function keepTime(options: TimekeeperOptions): Timekeeper {
  const { clock, signal, digestInterval, nextTime, due, look, digest } = options;
  let sleep = new AbortController();
  const nudge = (): void => sleep.abort();
  signal.addEventListener("abort", nudge, { once: true });

  async function run(): Promise<void> {
    let digestAt = clock.monotonic() + digestInterval;
    while (!signal.aborted) {
      sleep = new AbortController();
      const now = clock.monotonic();
      const moment = (nextTime() ?? Number.POSITIVE_INFINITY) - clock.now();
      const other = (due() ?? Number.POSITIVE_INFINITY) - now;
      await clock.sleep(Math.max(0, Math.min(minute, digestAt - now, moment, other)), sleep.signal);
      if (signal.aborted) return;
      await look();
      if (signal.aborted) return;
      if (clock.monotonic() < digestAt) continue;
      digest();
      digestAt = clock.monotonic() + digestInterval;
    }
  }
  return { nudge, done: run() };
}
