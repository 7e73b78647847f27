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
  /** Takes what the server hands over of the ticks. */
  take(delivery: Delivery): void;
  /** The ticks come no more: another candidate gets them now. */
  lose(): void;
  close(): void;
}

interface Options {
  readonly changed: (active: boolean) => void;
  /** Publishes a tick, to be given to one of the candidates. */
  readonly publish: () => Promise<void>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/**
 * Takes part in an election. Its ticks go through a queue with one consumer at a time. No message is held, so none can
 * be lost or held twice. Two candidates may both be active for a moment, if a server node stood still: their messages
 * must bear it.
 */
export function candidate(election: string, { changed, publish, clock, log }: Options): Candidate {
  const over = new AbortController();
  const { signal } = over;
  /**
   * The time of the last tick received, and the time at which the last confirmed tick of ours was sent: a confirm that
   * was read late proves nothing of now.
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
      log(`election ${election}: ${now ? "to begin" : "to end"} being active failed: ${reason(error)}`);
    }
  }

  function decide(): void {
    if (active || signal.aborted || left() <= 0) return;
    become(true);
    void expire();
  }

  /** Ends it when nothing has come for too long, whether or not the connection says anything. */
  async function expire(): Promise<void> {
    for (let wait = left(); active && !signal.aborted; wait = left()) {
      if (wait <= 0) become(false);
      else await clock.sleep(wait, signal);
    }
  }

  async function tick(): Promise<void> {
    if (ticking) return; // the one before is not confirmed yet: during an alarm they would pile up
    ticking = true;
    const at = clock.monotonic();
    try {
      await publish();
      provedAt = at;
      decide();
    } catch {
      // Why nothing can be published is said by the broker's trouble; here it only proves nothing.
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
