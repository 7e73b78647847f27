import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "./connection.ts";
import type { RabbitConsumer } from "./consume.ts";
import { rests } from "./rests.ts";
import type { Topology } from "./topology.ts";
import { mendUntaken } from "./untaken.ts";

/** How often a queue of which nothing comes is looked at, milliseconds: a table's digest comes once a minute. */
const lookEvery = 20_000;
/** So many looks in a row must find it starved: a connection that a crash left open ends meanwhile. */
const looks = { restart: 2, remake: 4 };

interface Options {
  readonly consumer: RabbitConsumer;
  readonly declared: Topology;
  readonly connection: () => Connection | undefined;
  /** Makes the queue anew, if what it holds may be lost. */
  readonly remake: (connection: Connection) => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Sees to a consumer that gets nothing although messages lie in its queue, or somebody else consumes it too: the server gives a queue to one consumer
 * at a time, and after a split of a cluster RabbitMQ (3.10) may give it to one that is gone. Gives what is wrong with it, while something is.
 */
export function mendStarved(queue: string, options: Options): () => string | undefined {
  const { consumer, declared, connection, remake, clock, signal, log } = options;
  let sign = "";
  let trouble: string | undefined;
  // A second process of the same host would take the queue away at once.
  const isDue = rests(clock);

  async function starves(): Promise<boolean> {
    const now = connection();
    if (!now) return false;
    const { messages, consumers } = await declared.look(now, queue);
    sign = consumers > 1 ? `it has ${consumers} consumers` : `${messages} messages lie in it`;
    return messages > 0 || consumers > 1;
  }

  void mendUntaken({
    ...{ clock, signal, lookEvery, looks },
    heard() {
      const fed = consumer.isFed();
      if (fed) trouble = undefined;
      return fed;
    },
    lies: starves,
    restart: () => consumer.restart(`nothing of it comes, although ${sign}`),
    async remake() {
      const now = connection();
      if (!now) return;
      if (declared.expendable(queue)) {
        if (!isDue()) return;
        await remake(now);
        return consumer.restart("it was made anew");
      }
      // What it holds may be nowhere else.
      const before = trouble;
      trouble = `nothing comes of queue ${queue}, although ${sign}: another process consumes it, or RabbitMQ believes so, which ends when the node that leads the queue is started again`;
      if (before === undefined) log(trouble);
    },
  });
  return () => trouble;
}
