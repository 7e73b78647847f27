import { reason } from "./errors.ts";

/** Of a clock, all that is needed to wait. */
interface Waiting {
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** How long to wait after so many failures in a row, in milliseconds. The longest wait is how long the broker's return may go unnoticed. */
export const backoff = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 5_000);

/** Does `work` until it succeeds, with growing waits; says when it begins to fail and when it is well again. Gives undefined once the signal aborts. */
export async function persist<T>(
  what: string,
  work: () => Promise<T>,
  {
    clock,
    signal,
    log,
  }: { readonly clock: Waiting; readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      const result = await work();
      if (failures > 0) log(`${what}: well again`);
      return result;
    } catch (error) {
      if (failures === 0) log(`${what}: ${reason(error)}; trying again`);
      failures += 1;
      await clock.sleep(backoff(failures), signal);
    }
  }
  return undefined;
}
