import { clockTolerance } from "../../core/stream/plausible.ts";
import type { Clock } from "../../ports/clock.ts";

/** The last moment that a Date can say. */
const latest = 8.64e15;

/** The clock of the tables: wall time, but never behind a time that this transcriber has sent or heard shortly before. */
export interface SteadyClock {
  now(): number;
  /** Takes a clock that a host has heard, milliseconds since 1970. */
  hear(at: number, host: string): void;
}

/**
 * A clock that does not go back when it is set back a little. So a ban that is over by one transcriber's clock
 * does not come back by another's that is seconds behind. No host's report, and no clock that was once wrong,
 * holds it further ahead than the tolerance: dates would pass too early.
 */
export function steadyClock(clock: Pick<Clock, "now">, log: (line: string) => void): SteadyClock {
  let least = Number.NEGATIVE_INFINITY;
  const said = new Set<string>();
  return {
    now() {
      const now = clock.now();
      if (least > now + clockTolerance) {
        log(`the clock was set back from ${shown(least)} to ${shown(now)}: rows are computed at that time again`);
        least = now;
      }
      least = Math.max(least, now);
      return least;
    },
    hear(at, host) {
      if (at <= clock.now() + clockTolerance) least = Math.max(least, at);
      else if (!said.has(host)) {
        said.add(host);
        log(`${host} heard of ${shown(at)}, ahead of this clock: it is not believed; one of the two clocks is wrong`);
      }
    },
  };
}

const shown = (at: number): string => new Date(Math.min(at, latest)).toISOString();
