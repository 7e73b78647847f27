/** How far a clock may be set back by ordinary correction, in milliseconds. */
const correction = 3 * 60_000;

/**
 * Milliseconds since a moment that was written down. Infinity of a moment that is ahead of now by more than a clock is corrected by:
 * the clock that wrote it was wrong, so that it says nothing, and must not count as new until the year has come.
 */
export const ageOf = (at: number, now: number): number =>
  at > now + correction ? Number.POSITIVE_INFINITY : Math.max(0, now - at);
