import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "./connection.ts";
import type { RabbitConsumer } from "./consume.ts";
import { mendStuck } from "./stuck-ticks.ts";
import { throttle } from "./throttle.ts";
import type { Topology } from "./topology.ts";

/**
 * The interval between two checks of a queue that delivers nothing, in milliseconds. A table's digest comes once a
 * minute.
 */
const checkEvery = 20_000;
/**
 * The numbers of checks in a row that must find it stuck, by remedy. A connection that a crash left open ends before.
 */
const checks = { restart: 2, recreate: 4 };

interface Options {
  readonly consumer: RabbitConsumer;
  readonly declared: Topology;
  readonly connection: () => Connection | undefined;
  /** Recreates the queue, if its content may be lost. */
  readonly recreate: (connection: Connection) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Watches for a stuck consumer: it gets nothing although its queue has messages, or another process consumes the queue.
 * The server gives a queue to one consumer at a time. After a split of a cluster RabbitMQ (3.10) may give it to a
 * consumer that has ended. The function returns the present fault.
 */
export function mendStuckConsumer(queue: string, options: Options): () => string | undefined {
  const { consumer, declared, connection, recreate, clock, signal, log } = options;
  let sign = "";
  let trouble: string | undefined;
  // A second process of the same host would consume the queue at once.
  const isDue = throttle(clock);

  async function isStuck(): Promise<boolean> {
    const now = connection();
    if (!now) return false;
    const { messages, consumers } = await declared.look(now, queue);
    sign = consumers > 1 ? `it has ${consumers} consumers` : `${messages} messages are in it`;
    return messages > 0 || consumers > 1;
  }

  void mendStuck({
    ...{ clock, signal, checkEvery, checks },
    heard() {
      const fed = consumer.isReceiving();
      if (fed) trouble = undefined;
      return fed;
    },
    holdsMessage: isStuck,
    restart: () => consumer.restart(`it delivers nothing, although ${sign}`),
    async recreate() {
      const now = connection();
      if (!now) return;
      if (declared.expendable(queue)) {
        if (!isDue()) return;
        await recreate(now);
        return consumer.restart("it was recreated");
      }
      // The queue may hold the only copy of its messages.
      const before = trouble;
      trouble = `queue ${queue} delivers nothing, although ${sign}: another process consumes it, or RabbitMQ has lost track of its consumer; then restart the node that leads the queue`;
      if (before === undefined) log(trouble);
    },
  });
  return () => trouble;
}
