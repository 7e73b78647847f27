/** The most that an ordinary correction sets a clock back, in milliseconds. */
const correction = 3 * 60_000;

/**
 * Milliseconds since a recorded moment. Infinity if the moment is ahead of now by more than an ordinary correction.
 * The clock that recorded it was wrong, so the moment must not count as new until that time has come.
 */
export const ageOf = (at: number, now: number): number =>
  at > now + correction ? Number.POSITIVE_INFINITY : Math.max(0, now - at);
