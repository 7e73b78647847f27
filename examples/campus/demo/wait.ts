import { systemClock } from "../../../src/daemon/clock.ts";

/** The longest wait for a condition, in milliseconds: much more than the homes take on a slow disk. */
const patience = 180_000;
/** The interval between two checks of a condition, in milliseconds. The times that are shown come from the hosts. */
const interval = 20;

/** Waits for a condition. Throws the text of `late` if the condition does not hold in time. */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  late: () => string,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`after ${patience / 1000} s: ${late()}`);
    await systemClock.sleep(interval, signal);
    signal.throwIfAborted();
  }
}
