/** The limits within which the clocks and epochs that hosts report are plausible. */

/**
 * The largest plausible difference of two clocks, in milliseconds: that of Kerberos (RFC 4120), and more than any clock
 * that NTP keeps. A host that reports a time, or an epoch of a time, further ahead of the transcriber's own clock is
 * implausible.
 */
export const clockTolerance = 5 * 60_000;

/** The highest epoch that a clock allows: epochs are milliseconds times 1,000. */
export const allowedEpoch = (now: number): number => (now + clockTolerance) * 1_000;
