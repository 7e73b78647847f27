import type { Clock } from "../ports/clock.ts";

/**
 * Makes directory states for a source that has none of its own: CSNs from the clock (`20261122102000.000000Z#000000#000#000000`),
 * each above the one before even when the clock stands still or goes back.
 */
export function csnMaker(clock: Clock): () => string {
  let last = 0;
  return () => {
    last = Math.max(Math.floor(clock.now() * 1000), last + 1);
    const micros = String(last % 1_000_000).padStart(6, "0");
    const seconds = new Date(last / 1000).toISOString().slice(0, 19).replace(/[-:T]/g, "");
    return `${seconds}.${micros}Z#000000#000#000000`;
  };
}
