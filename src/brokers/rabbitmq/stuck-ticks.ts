import type { Clock } from "../../ports/clock.ts";

interface Options {
  /** The interval between two checks, in milliseconds. */
  readonly checkEvery: number;
  /**
   * The numbers of checks in a row that find a message before the queue is consumed again, and before it is recreated.
   */
  readonly checks: { readonly restart: number; readonly recreate: number };
  /** True if this consumer gets messages. */
  readonly heard: () => boolean;
  /** True if the queue has an undelivered message; undefined if the server does not answer. */
  readonly holdsMessage: () => Promise<boolean | undefined>;
  /** Consumes the queue again, over another channel. */
  readonly restart: () => void;
  /** Recreates the queue: its consumers start again. */
  readonly recreate: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Watches for stuck messages. After a split of a cluster RabbitMQ (3.10) may give a queue to a consumer that has ended,
 * or that its channel has forgotten. A forgotten consumer ends with its channel. So each consumer first leaves its own
 * channel; only then is the queue recreated.
 */
export async function mendStuck(options: Options): Promise<void> {
  const { checkEvery, checks, heard, holdsMessage, restart, recreate, clock, signal } = options;
  for (let found = 0; !signal.aborted; ) {
    await clock.sleep(checkEvery, signal);
    if (signal.aborted) return;
    found = !heard() && (await holdsMessage().catch(() => undefined)) ? found + 1 : 0;
    if (signal.aborted) return;
    if (found === checks.restart) restart();
    if (found < checks.recreate) continue;
    found = 0;
    await recreate();
  }
}
