import type { Clock } from "../../ports/clock.ts";

interface Options {
  /** How often is looked, milliseconds. */
  readonly lookEvery: number;
  /** How many looks in a row must find something before it is consumed anew, and before the queue is made anew. */
  readonly looks: { readonly restart: number; readonly remake: number };
  /** Whether messages come here. */
  readonly heard: () => boolean;
  /** Whether one lies in the queue now that should have come; undefined where nobody can be asked. */
  readonly lies: () => Promise<boolean | undefined>;
  /** Consumes the queue anew, over another channel. */
  readonly restart: () => void;
  /** Makes the queue anew: whoever consumes it begins again. */
  readonly remake: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Sees to messages that nobody takes: RabbitMQ (3.10) may give a queue to a consumer that is gone, after a split of a cluster, or to one whose channel has forgotten it.
 * A forgotten one ends with its channel, so each consumer first leaves its own; only then is the queue made anew.
 */
export async function mendUntaken(options: Options): Promise<void> {
  const { lookEvery, looks, heard, lies, restart, remake, clock, signal } = options;
  for (let found = 0; !signal.aborted; ) {
    await clock.sleep(lookEvery, signal);
    if (signal.aborted) return;
    found = !heard() && (await lies().catch(() => undefined)) ? found + 1 : 0;
    if (signal.aborted) return;
    if (found === looks.restart) restart();
    if (found < looks.remake) continue;
    found = 0;
    await remake();
  }
}
