import type { Clock } from "../ports/clock.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
/** The last moment that a Date can say. */
const latest = 8.64e15;

/** The clock that tables are computed at: wall time, but never behind one that this transcriber has spoken of or heard of. */
export interface SteadyClock {
  now(): number;
  /** Takes a clock that a host has heard, milliseconds since 1970. */
  hear(at: number, host: string): void;
}

/**
 * A ban that is over by one transcriber's clock must not come back by another's that is seconds behind, nor when a clock is set back.
 * What is more than a day ahead is not believed: one wrong host would end every subscription.
 */
export function steadyClock(clock: Pick<Clock, "now">, log: (line: string) => void): SteadyClock {
  let least = Number.NEGATIVE_INFINITY;
  const said = new Set<string>();
  return {
    now() {
      least = Math.max(least, clock.now());
      return least;
    },
    hear(at, host) {
      const ahead = at - clock.now();
      if (ahead > 5 * minute && !said.has(host)) {
        said.add(host);
        const follows = ahead > day ? "it is not believed" : "time stands still until then";
        log(`${host} heard of ${new Date(Math.min(at, latest)).toISOString()}, ahead of this clock: ${follows}`);
      }
      if (ahead <= day) least = Math.max(least, at);
    },
  };
}
