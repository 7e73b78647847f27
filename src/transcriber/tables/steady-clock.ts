import { clockTolerance, HostWords } from "../../core/stream/plausible.ts";
import type { Clock } from "../../ports/clock.ts";

/** The latest time that a Date can represent. */
const latest = 8.64e15;

/**
 * The clock of the tables: wall time, but never behind a time that this transcriber has published or observed shortly
 * before.
 */
export interface SteadyClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Notes the time of the tables of a host, milliseconds since 1970. */
  observe(at: number, host: string): void;
}

/**
 * A clock that stands still while the wall clock is set back a little. An expired ban thus does not return when a
 * transcriber with a clock seconds behind takes over. Neither reports nor an earlier wrong clock hold it further ahead
 * than the tolerance: dates would pass too early. A time ahead of the wall clock counts once two hosts report it.
 */
export function steadyClock(
  clock: Pick<Clock, "now">,
  log: (line: string) => void,
  words = new HostWords(),
): SteadyClock {
  let least = Number.NEGATIVE_INFINITY;
  const logged = new Set<string>();
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
    observe(at, host) {
      if (at <= clock.now() + clockTolerance) {
        if (words.note(host, at)) least = Math.max(least, at);
      } else if (!logged.has(host)) {
        logged.add(host);
        log(
          `${host} reports ${shown(at)}, ahead of this clock: implausible and ignored; one of the two clocks is wrong`,
        );
      }
    },
  };
}

const shown = (at: number): string => new Date(Math.min(at, latest)).toISOString();
