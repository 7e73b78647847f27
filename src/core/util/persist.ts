import { backoff } from "./backoff.ts";
import { reason } from "./errors.ts";

/** The part of a clock that waits. */
interface Waiting {
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Repeats `work` until it succeeds, with a backoff. Logs the first failure and the recovery. Returns undefined once the
 * signal aborts.
 */
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
      if (failures > 0) log(`${what}: recovered`);
      return result;
    } catch (error) {
      if (failures === 0) log(`${what}: ${reason(error)}; trying again`);
      failures += 1;
      await clock.sleep(backoff(failures), signal);
    }
  }
  return undefined;
}
