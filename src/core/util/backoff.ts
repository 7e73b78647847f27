/** The bounds of a backoff, in milliseconds. */
export interface Backoff {
  /** The wait after the first failure. */
  readonly first: number;
  readonly longest: number;
}

/** The backoff for a broker: its return may go unnoticed for the longest wait. */
const brief: Backoff = { first: 100, longest: 5_000 };

/** The wait before the next try, in milliseconds: doubled with each failure in a row, up to the longest. `failures` is 1 or more. */
export const backoff = (failures: number, { first, longest }: Backoff = brief): number =>
  Math.min(first * 2 ** (failures - 1), longest);

/**
 * Half to the whole of a wait, in milliseconds, so that many hosts do not try at one instant. `random` returns a number
 * in [0, 1).
 */
export const jittered = (milliseconds: number, random: () => number): number => milliseconds * (0.5 + random() / 2);
