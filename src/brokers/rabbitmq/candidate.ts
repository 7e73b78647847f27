import { reason } from "../../core/util/errors.ts";
import type { Delivery } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * The interval between two ticks of a candidate, and the time for which a tick makes its receiver active; milliseconds.
 */
const tickEvery = 1_000;
export const lease = 5_000;

/** A candidate of an election: active as long as the server gives it the ticks and confirms its own. */
export interface Candidate {
  readonly active: boolean;
  /** Takes a tick that the server delivers. */
  take(delivery: Delivery): void;
  /** Notes the end of the ticks: another candidate gets them now. */
  lose(): void;
  close(): void;
}

interface Options {
  readonly changed: (active: boolean) => void;
  /** Publishes a tick, which the server delivers to one of the candidates. */
  readonly publish: () => Promise<void>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/**
 * Takes part in an election. Its ticks go through a queue with one consumer at a time. No message stays unacknowledged,
 * so none can be lost or held twice. Two candidates may both be active for a moment if a server node paused: receivers
 * of their messages must tolerate it.
 */
export function candidate(election: string, { changed, publish, clock, log }: Options): Candidate {
  const over = new AbortController();
  const { signal } = over;
  /**
   * The time of the last tick received, and the time at which the last confirmed tick of this candidate was sent. The
   * time of sending counts, as a confirm may be read late.
   */
  let heardAt = Number.NEGATIVE_INFINITY;
  let provedAt = Number.NEGATIVE_INFINITY;
  let active = false;
  let ticking = false;

  const left = (): number => Math.min(heardAt, provedAt) + lease - clock.monotonic();

  function become(now: boolean): void {
    if (active === now) return;
    active = now;
    try {
      changed(now);
    } catch (error) {
      log(`election ${election}: the change to ${now ? "active" : "standby"} failed: ${reason(error)}`);
    }
  }

  function decide(): void {
    if (active || signal.aborted || left() <= 0) return;
    become(true);
    void expire();
  }

  /** Ends the active state after a lease without ticks, with or without an error of the connection. */
  async function expire(): Promise<void> {
    for (let wait = left(); active && !signal.aborted; wait = left()) {
      if (wait <= 0) become(false);
      else await clock.sleep(wait, signal);
    }
  }

  async function tick(): Promise<void> {
    if (ticking) return; // the last tick is not confirmed yet: during an alarm ticks would pile up
    ticking = true;
    const at = clock.monotonic();
    try {
      await publish();
      provedAt = at;
      decide();
    } catch {
      // The broker's trouble has the reason; here the failure only gives no confirm.
    } finally {
      ticking = false;
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      void tick();
      await clock.sleep(tickEvery, signal);
    }
  }

  void run();
  return {
    get active() {
      return active;
    },
    take(delivery) {
      delivery.ack();
      heardAt = clock.monotonic();
      decide();
    },
    lose() {
      heardAt = Number.NEGATIVE_INFINITY;
      become(false);
    },
    close() {
      over.abort();
      become(false);
    },
  };
}
