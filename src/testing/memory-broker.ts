import { type Broker, type Consumer, QueueFull, QueueInUse } from "../ports/broker.ts";
import { type Line, openLine } from "./broker/line.ts";
import { type HeldMessage, MemoryQueue } from "./broker/queue.ts";

/** A broker in the memory of one process: the same calls give the same deliveries. */
export interface MemoryHub {
  /** Opens a connection; all connections of a hub share its queues and elections. */
  connect(): MemoryConnection;
  /** Copies of the messages of `queue`, the oldest first; none if the queue does not exist. */
  look(queue: string): HeldMessage[];
  /** Removes the messages of `queue` that are not handed over. */
  purge(queue: string): void;
  /** Removes `queue` and its bindings; its consumers are cut off. */
  drop(queue: string): void;
}

/** Options of a broker in memory. */
export interface MemoryHubOptions {
  /** The time in milliseconds, by which messages grow too old; the system's clock by default. */
  readonly now?: () => number;
}

/** A connection to a broker in memory. After its end each call throws, and `trouble` says why. */
export interface MemoryConnection extends Broker {
  /** Ends the connection as a killed process does: its deliveries are requeued, and its callbacks are not called. */
  crash(): void;
}

/**
 * Opens a broker in memory, without a queue. It stands for RabbitMQ in the test of a program that speaks the protocol.
 *
 * @example
 * ```ts
 * const broker = memoryHub().connect();
 * await broker.declare([{ name: "gate", keys: ["gate"], limit: { messages: 10, bytes: 1000, beyond: "refuse" } }]);
 * await broker.publish("gate", "open");
 * await broker.consume(
 *   "gate",
 *   ({ body, ack }) => {
 *     console.log(new TextDecoder().decode(body));
 *     ack();
 *   },
 *   { prefetch: 1 },
 * );
 * ```
 */
export function memoryHub(options: MemoryHubOptions = {}): MemoryHub {
  const { now = Date.now } = options;
  const hub: Hub = { now, queues: new Map(), elections: new Map() };
  return {
    connect: () => connect(hub),
    look: (name) => (hub.queues.get(name)?.held ?? []).map((message) => ({ ...message, body: message.body.slice() })),
    purge(name) {
      const queue = hub.queues.get(name);
      for (const message of queue?.held.filter((held) => !held.unacknowledged) ?? []) queue?.remove(message);
    },
    drop: (name) => void hub.queues.delete(name),
  };
}

interface Hub {
  readonly now: () => number;
  readonly queues: Map<string, MemoryQueue>;
  readonly elections: Map<string, Line>;
}

function connect({ now, queues, elections }: Hub): MemoryConnection {
  /** The functions that end the consumers and candidates of the connection; true means without their callbacks. */
  const taken = new Set<(crashed: boolean) => void>();
  let gone: string | undefined;

  const live = (): void => {
    if (gone) throw new Error(gone);
  };
  const end = (why: string, crashed: boolean): void => {
    gone ??= why;
    for (const leave of taken) leave(crashed);
    taken.clear();
  };
  const consumer = (leave: (crashed: boolean) => void): Consumer => {
    taken.add(leave);
    return {
      async close() {
        if (taken.delete(leave)) leave(false);
      },
    };
  };

  return {
    async declare(wanted) {
      live();
      for (const { name, keys, limit } of wanted) {
        const queue = queues.get(name) ?? new MemoryQueue(limit, now);
        queues.set(name, queue);
        for (const key of keys) queue.keys.add(key);
      }
    },

    async publish(key, body, { messageId } = {}) {
      live();
      const message = {
        key,
        body: typeof body === "string" ? new TextEncoder().encode(body) : body.slice(),
        ...(messageId !== undefined && { messageId }),
      };
      const bound = [...queues].filter(([, queue]) => queue.keys.has(key));
      const full = bound.find(([, queue]) => queue.refuses(message.body.length));
      if (full) throw new QueueFull(full[0]);
      for (const [, queue] of bound) queue.add(message);
    },

    async consume(name, take, { prefetch }) {
      live();
      const queue = queues.get(name);
      if (!queue) throw new Error(`queue ${name} cannot be consumed: it is not there`);
      return consumer(queue.consume(take, prefetch));
    },

    async campaign(name, changed) {
      live();
      const line = elections.get(name) ?? openLine();
      elections.set(name, line);
      const leave = line.enter(() => changed(true));
      return consumer((crashed) => {
        if (leave() && !crashed) changed(false);
      });
    },

    async remove(names) {
      live();
      const known = names.filter((name) => queues.has(name));
      const inUse = known.find((name) => queues.get(name)?.consumed);
      if (inUse !== undefined) throw new QueueInUse(inUse);
      for (const name of known) queues.delete(name);
      return known;
    },

    trouble: () => gone,
    close: async () => end("this connection to the broker is closed", false),
    crash: () => end("this connection to the broker has crashed", true),
  };
}
