/** The limits within which the clocks and epochs that hosts report are plausible. */

/**
 * The largest plausible difference between two clocks, in milliseconds: that of Kerberos (RFC 4120), and more than
 * between any clocks with NTP. A host is implausible if it reports a time, or an epoch of a time, further ahead of the
 * transcriber's own clock.
 */
export const clockTolerance = 5 * 60_000;

/** The highest epoch that a clock allows: epochs are milliseconds times 1,000. */
export const allowedEpoch = (now: number): number => (now + clockTolerance) * 1_000;
