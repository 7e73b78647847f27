import { systemClock } from "../src/daemon/clock.ts";
import type { Clock } from "../src/ports/clock.ts";

/** A clock that runs faster by a factor. */
export const quickClock = (times: number): Clock => ({
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * times,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / times, signal),
});
