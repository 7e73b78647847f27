import type { Clock } from "../ports/clock.ts";

/**
 * Makes directory states for a source that has none of its own: CSNs from the clock
 * (`20261122102000.000000Z#000000#000#000000`). Each is above the last, even if the clock stops or goes back.
 */
export function csnMaker(clock: Clock): () => string {
  let last: string | undefined;
  return () => {
    last = csnAfter(last, clock.now());
    return last;
  };
}

/** The CSN of a moment (milliseconds since 1970), or the next one above the last. */
export function csnAfter(last: string | undefined, now: number): string {
  const micros = Math.max(Math.floor(now * 1000), last === undefined ? 0 : microsOf(last) + 1);
  const fraction = String(micros % 1_000_000).padStart(6, "0");
  const seconds = new Date(micros / 1000).toISOString().slice(0, 19).replace(/[-:T]/g, "");
  return `${seconds}.${fraction}Z#000000#000#000000`;
}

function microsOf(csn: string): number {
  const seconds = csn.replace(/^(....)(..)(..)(..)(..)(..)\..*$/, "$1-$2-$3T$4:$5:$6Z");
  return Date.parse(seconds) * 1000 + Number(csn.slice(15, 21));
}
