import type { Clock } from "../../ports/clock.ts";

interface Options {
  /** The interval between two looks, in milliseconds. */
  readonly lookEvery: number;
  /**
   * The number of looks in a row that find a message before it is consumed again, and before the queue is recreated.
   */
  readonly looks: { readonly restart: number; readonly recreate: number };
  /** True if messages come here. */
  readonly heard: () => boolean;
  /** True if a message lies in the queue that should have come; undefined if the server does not answer. */
  readonly lies: () => Promise<boolean | undefined>;
  /** Consumes the queue again, over another channel. */
  readonly restart: () => void;
  /** Recreates the queue: its consumers begin again. */
  readonly recreate: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Watches for stuck messages. After a split of a cluster RabbitMQ (3.10) may give a queue to a consumer that is gone,
 * or to one whose channel has forgotten it. A forgotten consumer ends with its channel. So each consumer first leaves
 * its own channel; the queue is recreated only then.
 */
export async function mendStuck(options: Options): Promise<void> {
  const { lookEvery, looks, heard, lies, restart, recreate, clock, signal } = options;
  for (let found = 0; !signal.aborted; ) {
    await clock.sleep(lookEvery, signal);
    if (signal.aborted) return;
    found = !heard() && (await lies().catch(() => undefined)) ? found + 1 : 0;
    if (signal.aborted) return;
    if (found === looks.restart) restart();
    if (found < looks.recreate) continue;
    found = 0;
    await recreate();
  }
}
