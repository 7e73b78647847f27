/** The largest ordinary correction of a clock backwards, in milliseconds. */
const correction = 3 * 60_000;

/**
 * Milliseconds since a recorded moment. Infinity if the moment is ahead of now by more than an ordinary correction: the
 * clock that recorded it was wrong. The moment must not count as recent until then.
 */
export const ageOf = (at: number, now: number): number =>
  at > now + correction ? Number.POSITIVE_INFINITY : Math.max(0, now - at);
