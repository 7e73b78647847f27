import type { Clock } from "../../../src/ports/clock.ts";

/** When every schedule begins. */
export const beginning = Date.UTC(2026, 10, 22);

/** The one time of the world; it moves by `advance` alone. */
export interface Time extends Clock {
  /** Moves time, waking each sleeper at its moment; what it does then is done before time moves on. */
  advance(milliseconds: number): Promise<void>;
  /** The clock of a machine whose wall time is so many milliseconds off. */
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

/** Lets everything run that waits for no time: microtasks, and the rounds of immediates in which a host takes what has arrived. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}
