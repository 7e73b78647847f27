import type { Clock } from "../../ports/clock.ts";

/** How often who hears no ticks looks whether they lie in their queue, milliseconds; and how many looks in a row must find one before it consumes anew, and before the queue is made anew. */
const lookEvery = 5_000;
const looksToRestart = 3;
const looksToRemake = 8;

interface Options {
  /** Whether the ticks come here. */
  readonly heard: () => boolean;
  /** Whether one lies in the queue now; undefined where nobody can be asked. */
  readonly lies: () => Promise<boolean | undefined>;
  /** Consumes the queue anew, over another channel. */
  readonly restart: () => void;
  /** Makes the queue anew: whoever consumes it begins again. */
  readonly remake: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Sees to ticks that nobody takes: RabbitMQ (3.10) may give a queue to a consumer that is gone, after a split of a cluster, or to one whose channel has forgotten it,
 * and then no candidate is ever active. A forgotten one ends with its channel, so each candidate first leaves its own; only then is the queue made anew.
 * Where somebody is active a tick is taken at once, so that one look after another finds none.
 */
export async function mendUntaken({ heard, lies, restart, remake, clock, signal }: Options): Promise<void> {
  for (let found = 0; !signal.aborted; ) {
    await clock.sleep(lookEvery, signal);
    if (signal.aborted) return;
    found = !heard() && (await lies().catch(() => undefined)) ? found + 1 : 0;
    if (signal.aborted) return;
    if (found === looksToRestart) restart();
    if (found < looksToRemake) continue;
    found = 0;
    await remake();
  }
}
