import { eventService, queueName, reportService } from "../../core/stream/routing.ts";
import { persist } from "../../core/util/persist.ts";
import type { Broker, Consumer, Delivery, Queue } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";

export interface ConsumerOptions {
  readonly host: string;
  readonly broker: Pick<Broker, "declare" | "consume" | "campaign">;
  /** The queues of all hosts. */
  readonly queues: readonly Queue[];
  report(delivery: Delivery): void;
  event(delivery: Delivery): void;
  /** Resolves once this transcriber may be elected. */
  readonly ready: Promise<void>;
  elect(active: boolean): void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/**
 * The most reports that are delivered before the first is acknowledged. With a hundred, RabbitMQ delivers fewer than one
 * host can publish, and the queue drops the reports of others.
 */
export const reportPrefetch = 1_000;

/**
 * Declares all queues, consumes those of the transcriber and takes part in the election. Resolves after the signal,
 * when all are closed.
 */
export async function consumeQueues(options: ConsumerOptions): Promise<void> {
  const { host, broker, queues, report, event, ready, elect, signal } = options;
  const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  const open: (Consumer | undefined)[] = [];
  const keep = async (begin: () => Promise<Consumer>): Promise<void> => {
    open.push(await persist("the broker", begin, options));
  };
  await persist("the broker", () => broker.declare(queues), options);
  await keep(() => broker.consume(queueName(host, reportService), report, { prefetch: reportPrefetch }));
  await keep(() => broker.consume(queueName(host, eventService), event, { prefetch: 100 }));
  await Promise.race([ready, stopped]);
  await keep(() => broker.campaign(eventService, (active) => elect(active && !signal.aborted)));
  if (!signal.aborted) await stopped;
  elect(false);
  // A lost connection has requeued all messages already.
  await Promise.allSettled(open.map((consumer) => consumer?.close()));
}
