import type { Clock } from "../ports/clock.ts";

/** A clock that a test owns: its time moves by `advance` alone. */
export interface VirtualClock extends Clock {
  /**
   * Moves time forward by a number of `milliseconds`, and wakes each sleeper at its moment, the earliest first. The work
   * of a sleeper is done before time moves on, unless it waits for real input or output.
   */
  advance(milliseconds: number): Promise<void>;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Makes a virtual clock that stands at `start`, in milliseconds since 1970. */
export function virtualClock(start: number): VirtualClock {
  let passed = 0;
  const sleepers = new Set<Sleeper>();

  const earliest = (): Sleeper | undefined => {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (!first || sleeper.until < first.until) first = sleeper;
    return first;
  };

  return {
    now: () => start + passed,
    monotonic: () => passed,

    sleep(milliseconds, signal) {
      if (milliseconds <= 0 || signal?.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { until: passed + milliseconds, wake };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake);
      });
    },

    async advance(milliseconds) {
      const end = passed + milliseconds;
      await settle();
      for (let next = earliest(); next && next.until <= end; next = earliest()) {
        passed = next.until;
        next.wake();
        await settle();
      }
      passed = end;
    },
  };
}

/** Runs all work that waits for no time: microtasks, and a few rounds of immediates that follow one another. */
async function settle(): Promise<void> {
  for (let round = 0; round < 4; round++) await new Promise((resolve) => setImmediate(resolve));
}
