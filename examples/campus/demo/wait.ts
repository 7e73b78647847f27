import { systemClock } from "../../../src/daemon/clock.ts";

/** Far more than anything here takes, also where a disk needs long for the homes; in milliseconds. */
const patience = 180_000;
/** How often to look, in milliseconds: the times that are shown are the hosts' own, not those of the look. */
const interval = 20;

/** Waits for a condition; throws what `late` says when it does not come about. */
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
