import type { Broker, Consumer, Delivery, Queue } from "../../../src/ports/broker.ts";
import type { MemoryConnection, MemoryHub } from "../../../src/testing/memory-broker.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { Life } from "./life.ts";
import type { Time } from "./time.ts";

/**
 * The connection of a process to the broker of the world. Like the adapter of RabbitMQ, it connects again by itself.
 */
export interface Link extends Broker {
  /** The delay of a message to the broker and from it, in milliseconds. */
  slow: number;
  /** Breaks the connection for some time. Of the messages on their way some may arrive. */
  cut(milliseconds: number): void;
  /** Pauses the broker node of this connection: the process receives nothing, and its messages wait there. */
  freeze(): void;
  /** Delivers the messages that waited at the paused node and connects the process to a healthy node. */
  thaw(): void;
  readonly frozen: boolean;
  /** Redelivers the messages acknowledged last: the acknowledgements were lost when the queue changed its leader. */
  redeliver(): void;
  /** Tells the process that it is the active one, even if another one is active. */
  believe(milliseconds: number): void;
  /** Kills the process. */
  crash(): void;
}

/** The broker, as its links see it. */
export interface Behind {
  readonly hub: MemoryHub;
  /** A connection that never breaks. */
  readonly node: MemoryConnection;
  readonly time: Time;
  readonly random: Random;
  readonly queueLimit: number;
  readonly acknowledgedFirst: boolean;
  /** The links of the processes that live. */
  readonly links: Set<Pick<Link, "cut"> & { lost(queue: string): void }>;
  /** Called when a message has arrived over a connection. */
  arrive(over: MemoryConnection, message: Waiting): Promise<void>;
  /** The time at which an unreachable broker can be reached again. */
  downUntil(): number;
}

/** A message on its way to the broker. */
export interface Waiting {
  readonly key: string;
  readonly body: string;
  readonly messageId: string | undefined;
  readonly settle: (error?: Error) => void;
}
interface Taking {
  readonly queue: string;
  readonly prefetch: number;
  readonly take: (delivery: Delivery) => void;
  readonly acknowledged: Delivery[];
  consumer?: Consumer | undefined;
}
interface Standing {
  readonly election: string;
  readonly changed: (active: boolean) => void;
  believes: boolean;
  consumer?: Consumer | undefined;
}

const again = 1000;
const remembered = 6;

/** Connects a process to the broker. */
export function connectTo(broker: Behind, life: Life): Link {
  const { hub, node, time, random, queueLimit, acknowledgedFirst, links, arrive } = broker;
  let connection: MemoryConnection | undefined = hub.connect();
  let frozen = false;
  let closed = false;
  let pumping = false;
  let outgoing: Waiting[] = [];
  let stuck: Waiting[] = [];
  const declared = new Map<string, Queue>();
  const takings = new Set<Taking>();
  const standings = new Set<Standing>();

  function reach(): MemoryConnection {
    if (!connection || closed) throw new Error("the broker cannot be reached");
    return connection;
  }

  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    while (outgoing.length > 0 && connection && !frozen) {
      if (link.slow > 0) await time.sleep(link.slow);
      if (frozen || !connection) break;
      const next = outgoing.shift();
      if (!next) break;
      await arrive(connection, next).then(
        () => next.settle(),
        (error) => next.settle(error),
      );
    }
    pumping = false;
  }

  async function attach(taking: Taking): Promise<void> {
    const over = reach();
    const queue = declared.get(taking.queue);
    if (queue) await over.declare([queue]);
    const hand = async (delivery: Delivery): Promise<void> => {
      if (link.slow > 0) await time.sleep(link.slow);
      if (over !== connection || frozen || life.dead) return;
      if (acknowledgedFirst) delivery.ack();
      taking.take({
        ...delivery,
        ack() {
          life.step("acknowledge");
          delivery.ack();
          taking.acknowledged.push({ ...delivery, redelivered: true, ack: () => {} });
          if (taking.acknowledged.length > remembered) taking.acknowledged.shift();
        },
      });
    };
    let line = Promise.resolve();
    const take = (delivery: Delivery): void => {
      if (link.slow > 0) line = line.then(() => hand(delivery));
      else void hand(delivery);
    };
    taking.consumer = await over.consume(taking.queue, take, { prefetch: taking.prefetch });
  }

  async function stand(standing: Standing): Promise<void> {
    standing.consumer = await reach().campaign(standing.election, (active) => {
      standing.believes = active;
      standing.changed(active);
    });
  }

  function retire(): void {
    for (const standing of standings) {
      if (standing.believes) standing.changed(false);
      standing.believes = false;
    }
  }

  async function reconnect(): Promise<void> {
    if (connection || closed || life.dead || frozen) return;
    const wait = broker.downUntil() - time.monotonic();
    if (wait > 0) {
      await time.sleep(wait + 1);
      return reconnect();
    }
    const over = hub.connect();
    connection = over;
    try {
      await over.declare([...declared.values()]);
      for (const taking of takings) await attach(taking);
      for (const standing of standings) await stand(standing);
    } catch (error) {
      if (connection === over) throw error;
      return; // another cut followed, which connects again
    }
    void pump();
  }

  const link: Link & { lost(queue: string): void } = {
    slow: 0,
    get frozen() {
      return frozen;
    },
    async declare(queues) {
      const over = reach();
      const small = queues.map((queue) => ({ ...queue, limit: { ...queue.limit, messages: queueLimit } }));
      for (const queue of small) declared.set(queue.name, queue);
      await over.declare(small);
    },
    async publish(key, body, { messageId } = {}) {
      life.step("publish");
      reach();
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      await new Promise<void>((resolve, reject) => {
        const settle = (error?: Error): void => (error ? reject(error) : resolve());
        const waiting = { key, body: text, messageId, settle };
        if (frozen) stuck.push(waiting);
        else {
          outgoing.push(waiting);
          void pump();
        }
      });
    },
    async consume(queue, take, { prefetch }) {
      const taking: Taking = { queue, take, prefetch, acknowledged: [] };
      await attach(taking);
      takings.add(taking);
      return {
        async close() {
          takings.delete(taking);
          await taking.consumer?.close();
        },
      };
    },
    async campaign(election, changed) {
      const standing: Standing = { election, changed, believes: false };
      await stand(standing);
      standings.add(standing);
      return {
        async close() {
          standings.delete(standing);
          await standing.consumer?.close();
        },
      };
    },
    remove: async (queues) => reach().remove(queues),
    trouble: () => (connection ? undefined : "the broker cannot be reached"),
    async close() {
      closed = true;
      links.delete(link);
      await connection?.close();
    },
    cut(milliseconds) {
      if (frozen || !connection || closed) return;
      const over = connection;
      connection = undefined;
      const arrived = random.below(outgoing.length + 1);
      for (const [index, waiting] of outgoing.entries()) {
        if (index < arrived) void arrive(node, waiting).catch(() => {});
        waiting.settle(new Error("the connection to the broker broke"));
      }
      outgoing = [];
      over.crash();
      retire();
      void time.sleep(milliseconds).then(reconnect);
    },
    lost(queue) {
      for (const taking of takings) {
        if (taking.queue !== queue) continue;
        void time.sleep(again).then(async () => {
          if (connection && takings.has(taking) && !life.dead && !frozen) await attach(taking).catch(() => {});
        });
      }
    },
    freeze() {
      if (frozen || !connection || closed) return;
      frozen = true;
      stuck = outgoing;
      outgoing = [];
      connection.crash();
      connection = hub.connect();
    },
    thaw() {
      if (!frozen) return;
      frozen = false;
      for (const waiting of stuck) void arrive(node, waiting).then(() => waiting.settle(), waiting.settle);
      stuck = [];
      connection?.crash();
      connection = undefined;
      if (life.dead) return;
      retire();
      void time.sleep(again).then(reconnect);
    },
    redeliver() {
      for (const taking of takings) for (const delivery of taking.acknowledged.splice(0)) taking.take(delivery);
    },
    believe(milliseconds) {
      for (const standing of standings) {
        if (standing.believes || !connection || frozen) continue;
        standing.changed(true);
        void time.sleep(milliseconds).then(() => {
          if (!standing.believes && !life.dead) standing.changed(false);
        });
      }
    },
    crash() {
      links.delete(link);
      if (frozen) return; // the messages at the paused node are handled by `thaw`
      const arrived = random.below(outgoing.length + 1);
      for (const waiting of outgoing.slice(0, arrived)) void arrive(node, waiting).catch(() => {});
      outgoing = [];
      connection?.crash();
      connection = undefined;
    },
  };
  links.add(link);
  if (time.monotonic() < broker.downUntil()) {
    connection.crash();
    connection = undefined;
    void reconnect();
  }
  return link;
}
