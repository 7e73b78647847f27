import type { Clock } from "../../ports/clock.ts";

/** What wakes one that waits; rung while nobody waits, it makes the next wait short. */
export interface Bell {
  ring(): void;
  /** Waits until it rings, at most so many milliseconds. */
  wait(milliseconds: number): Promise<void>;
  close(): void;
}

/** A bell that the signal rings too. */
export function bellOf(clock: Clock, signal: AbortSignal): Bell {
  let rung = signal.aborted;
  let waiting: AbortController | undefined;
  const ring = (): void => {
    rung = true;
    waiting?.abort();
  };
  signal.addEventListener("abort", ring);
  return {
    ring,
    async wait(milliseconds) {
      waiting = new AbortController();
      if (!rung) await clock.sleep(milliseconds, waiting.signal);
      waiting = undefined;
      rung = false;
    },
    close: () => signal.removeEventListener("abort", ring),
  };
}
