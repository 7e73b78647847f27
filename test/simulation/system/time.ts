import type { Clock } from "../../../src/ports/clock.ts";

/** The time at which every schedule begins. */
export const beginning = Date.UTC(2026, 10, 22);

/** The one clock of the world; only `advance` moves it. */
export interface Time extends Clock {
  /** Moves time and wakes each sleeper at its moment. The work of a sleeper is done before time moves on. */
  advance(milliseconds: number): Promise<void>;
  /** The clock of a machine, whose wall time is off by `skew` milliseconds. */
  seenBy(machine: { readonly skew: number }): Clock;
}

export function worldTime(): Time {
  let passed = 0;
  const sleepers = new Map<object, { readonly until: number; readonly wake: () => void }>();
  const now = (): number => beginning + passed;
  const monotonic = (): number => passed;

  function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (milliseconds <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {};
      const wake = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      sleepers.set(sleeper, { until: passed + milliseconds, wake });
      signal?.addEventListener("abort", wake);
    });
  }

  return {
    ...{ now, monotonic, sleep },
    seenBy: (machine) => ({ now: () => now() + machine.skew, monotonic, sleep }),
    async advance(milliseconds) {
      const end = passed + milliseconds;
      await settle();
      for (;;) {
        let next = Number.POSITIVE_INFINITY;
        for (const { until } of sleepers.values()) next = Math.min(next, until);
        if (next > end) break;
        passed = next;
        for (const { until, wake } of [...sleepers.values()]) if (until <= next) wake();
        await settle();
      }
      passed = end;
    },
  };
}

/**
 * Runs everything that waits for no time: microtasks, and the rounds of immediates in which a host takes arrived
 * messages.
 */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}
