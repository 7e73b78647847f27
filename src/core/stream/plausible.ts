/** The limits within which the clocks and epochs that hosts report are plausible. */

/**
 * The largest plausible difference between two clocks, in milliseconds: that of Kerberos (RFC 4120), and more than
 * between any clocks with NTP. A host is implausible if it reports a time, or an epoch of a time, further ahead of the
 * transcriber's own clock.
 */
export const clockTolerance = 5 * 60_000;

/** The highest epoch that a clock allows: epochs are milliseconds times 1,000. */
export const allowedEpoch = (now: number): number => (now + clockTolerance) * 1_000;

/**
 * The words of hosts about a number that grows, such as an epoch or a time. One host alone may be wrong or lie: its word
 * counts for others only as far as another host's supports it.
 */
export class HostWords {
  readonly #highest = new Map<string, number>();
  readonly #isAlone: boolean;

  /** `isAlone` is true if the network has only one host: then its word concerns nobody else. */
  constructor(isAlone = false) {
    this.#isAlone = isAlone;
  }

  /** Notes the word of a host. Returns true if the word of another host is at least as high. */
  note(host: string, value: number): boolean {
    this.#highest.set(host, Math.max(value, this.#highest.get(host) ?? value));
    if (this.#isAlone) return true;
    for (const [other, highest] of this.#highest) if (other !== host && highest >= value) return true;
    return false;
  }
}
