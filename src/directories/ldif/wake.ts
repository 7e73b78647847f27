import type { Clock } from "../../ports/clock.ts";

/** The wake-up of one waiter. A call before the wait ends the next wait at once. */
export interface Wake {
  call(): void;
  /** Waits for a call, for a number of milliseconds at most. */
  wait(milliseconds: number): Promise<void>;
  close(): void;
}

/** Makes a wake-up that the signal calls, too. */
export function wakeOf(clock: Clock, signal: AbortSignal): Wake {
  let called = signal.aborted;
  let waiting: AbortController | undefined;
  const call = (): void => {
    called = true;
    waiting?.abort();
  };
  signal.addEventListener("abort", call);
  return {
    call,
    async wait(milliseconds) {
      waiting = new AbortController();
      if (!called) await clock.sleep(milliseconds, waiting.signal);
      waiting = undefined;
      called = false;
    },
    close: () => signal.removeEventListener("abort", call),
  };
}
