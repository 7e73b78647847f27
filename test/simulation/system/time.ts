import type { Clock } from "../../../src/ports/clock.ts";
import { type VirtualClock, virtualClock } from "../../virtual-clock.ts";

/** When every schedule begins. */
export const beginning = Date.UTC(2026, 10, 22);

/** The one time of the world, and a machine's own wall clock, which may be wrong. */
export interface Time extends VirtualClock {
  /** The clock of a machine that is so many milliseconds off. */
  seenBy(machine: { readonly skew: number }): Clock;
}

export function worldTime(): Time {
  const clock = virtualClock(beginning);
  return {
    ...clock,
    seenBy: (machine) => ({
      now: () => clock.now() + machine.skew,
      monotonic: clock.monotonic,
      sleep: clock.sleep,
    }),
  };
}
