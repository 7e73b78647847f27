import type { Channel } from "amqplib";
import { exchange } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import { BrokerTrouble, type Queue, QueueInUse } from "../../ports/broker.ts";
import { isRefused, withChannel } from "./channels.ts";
import type { Connection, Server } from "./connection.ts";
import { otherArguments, type QueueType, queueArguments } from "./queue-arguments.ts";

/** The queues that were declared through one broker object. They are declared again at every connection. */
export interface Topology {
  /** Remembers queues; keys add up. */
  remember(queues: readonly Queue[]): void;
  /**
   * Declares the exchange and the remembered queues, or the named ones, with their bindings. All are tried; the first
   * failure is thrown.
   */
  declare(connection: Connection, names?: readonly string[]): Promise<void>;
  /** Declares one queue again if it is remembered. */
  restore(connection: Connection, name: string): Promise<void>;
  /**
   * True if a queue existed, with its bindings, since this broker object was opened: if it is missing, it was deleted.
   */
  wasThere(name: string): boolean;
  /** True for a drop-head queue: its messages are resent or short-lived. */
  expendable(name: string): boolean;
  /** Deletes a queue with its messages, and declares it again after `awaitDeletion`. */
  recreate(connection: Connection, name: string, awaitDeletion: () => Promise<void>): Promise<void>;
  /**
   * Deletes queues with their messages, and forgets them; returns the names of those that existed. Throws, and deletes
   * none, if one has a consumer.
   */
  remove(connection: Connection, names: readonly string[]): Promise<string[]>;
  /**
   * The numbers of messages and consumers of a queue as the server counts them; zero for a queue without a leader.
   */
  look(connection: Connection, name: string): Promise<{ readonly messages: number; readonly consumers: number }>;
  /** The keys of a queue, if it is remembered. */
  keysOf(name: string): readonly string[] | undefined;
  /** The remembered queues that are bound with a key. */
  bound(key: string): Queue[];
  /** The named queues that have as many messages as they may. A queue that does not answer counts as full. */
  full(connection: Connection, names: readonly string[]): Promise<string[]>;
}

interface Options {
  readonly log: (line: string) => void;
  /** Called for a missing queue that this user may not make. */
  readonly missing: (name: string) => void;
  /** Called when a missing exchange was made. */
  readonly exchangeMade: (server: Server) => void;
}

export function topology(type: QueueType, { log, missing, exchangeMade }: Options): Topology {
  const queues = new Map<string, Queue>();
  /** The names of the queues that were found or made. */
  const there = new Set<string>();
  /** The lines about queues with other arguments than ours: each is logged once. */
  const said = new Set<string>();

  async function declareQueue(connection: Connection, queue: Queue): Promise<void> {
    const { name, keys } = queue;
    const options = { durable: true, arguments: queueArguments(queue, type, connection.server) };
    const declareBy = (find: (channel: Channel) => Promise<unknown>): Promise<void> =>
      withChannel(connection, async (channel) => {
        await find(channel);
        for (const key of keys) await channel.bindQueue(name, exchange, key);
      });
    let made = false;
    try {
      await declareBy(async (channel) => {
        await channel.assertQueue(name, options);
        made = true;
      });
    } catch (error) {
      if (isRefused(error, 406)) {
        await declareBy((channel) => channel.checkQueue(name));
        sayOnce(...otherArguments(queue, reason(error)));
      } else if (isRefused(error, 403) && !made) await lookFor(connection, name);
      else throw error;
    }
    there.add(name);
  }

  function sayOnce(what: string, line: string | undefined): void {
    if (line !== undefined && !said.has(what)) log(line);
    said.add(what);
  }

  /** Throws if a queue is missing. This user may neither make nor bind it, but a transcriber may. */
  async function lookFor(connection: Connection, name: string): Promise<void> {
    try {
      await withChannel(connection, (channel) => channel.checkQueue(name));
    } catch (error) {
      if (isRefused(error, 403)) return; // without a right to the queue, RabbitMQ 4.3 does not say if it exists
      if (!isRefused(error, 404)) throw error;
      missing(name);
      throw new BrokerTrouble(
        `queue ${name} is missing, and this user may not make it: a transcriber makes it once started with a config that has it`,
      );
    }
  }

  /** Declares the exchange. A host may use it but not make it; a transcriber makes it. */
  async function declareExchange(connection: Connection): Promise<void> {
    const was = await exchangeIsThere(connection);
    try {
      await withChannel(connection, (channel) => channel.assertExchange(exchange, "topic", { durable: true }));
    } catch (error) {
      if (!isRefused(error, 403)) throw error;
      if (was) return;
      throw new BrokerTrouble(
        `exchange ${exchange} is missing, and this user may not make it: start a transcriber, or run the script of \`trigger permissions\``,
      );
    }
    if (!was) exchangeMade(connection.server);
  }

  async function declare(connection: Connection, names: readonly string[] = [...queues.keys()]): Promise<void> {
    await declareExchange(connection);
    const failures: unknown[] = [];
    for (const name of names) {
      const queue = queues.get(name);
      if (queue) await declareQueue(connection, queue).catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  return {
    remember(wanted) {
      for (const queue of wanted) checkQueue(queue);
      for (const queue of wanted) {
        const keys = [...new Set([...(queues.get(queue.name)?.keys ?? []), ...queue.keys])];
        queues.set(queue.name, { ...queue, keys });
      }
    },
    declare,
    async restore(connection, name) {
      if (queues.has(name)) await declare(connection, [name]);
    },
    wasThere: (name) => there.has(name),
    expendable: (name) => queues.get(name)?.limit.beyond === "drop",
    async recreate(connection, name, awaitDeletion) {
      await withChannel(connection, (channel) => channel.deleteQueue(name));
      await awaitDeletion();
      await declare(connection, [name]);
    },
    async remove(connection, names) {
      const found: string[] = [];
      for (const name of names) {
        const consumers = await consumersOf(connection, name);
        if (consumers === undefined) continue;
        if (consumers > 0) throw new QueueInUse(name);
        found.push(name);
      }
      for (const name of found) {
        queues.delete(name);
        there.delete(name);
        await withChannel(connection, (channel) => channel.deleteQueue(name));
      }
      return found;
    },
    look,
    keysOf: (name) => queues.get(name)?.keys,
    bound: (key) => [...queues.values()].filter(({ keys }) => keys.includes(key)),
    async full(connection, names) {
      const full: string[] = [];
      for (const name of names) {
        const found = await look(connection, name).catch(() => undefined);
        const most = queues.get(name)?.limit.messages ?? 0;
        if (!found || found.messages >= most) full.push(name); // a queue that does not answer may be the full one
      }
      return full;
    },
  };
}

/** True if the exchange exists. A user without a right to it is refused with error 403, which counts as yes. */
async function exchangeIsThere(connection: Connection): Promise<boolean> {
  try {
    await withChannel(connection, (channel) => channel.checkExchange(exchange));
    return true;
  } catch (error) {
    if (isRefused(error, 404)) return false;
    if (isRefused(error, 403)) return true;
    throw error;
  }
}

async function look(connection: Connection, name: string): ReturnType<Topology["look"]> {
  const { messageCount, consumerCount } = await withChannel(connection, (channel) => channel.checkQueue(name));
  return { messages: messageCount, consumers: consumerCount };
}

/** The number of consumers of a queue; undefined for a missing queue. */
async function consumersOf(connection: Connection, name: string): Promise<number | undefined> {
  try {
    return (await look(connection, name)).consumers;
  } catch (error) {
    if (isRefused(error, 404)) return undefined;
    throw error;
  }
}

/** Checks the limits of the protocol; throws a `RangeError` of the caller for an excess. */
function checkQueue({ name, keys, limit }: Queue): void {
  for (const text of [name, ...keys]) checkShort(text, `queue ${name}`);
  for (const key of keys) {
    if (key.split(".").some((word) => word === "*" || word === "#")) {
      throw new RangeError(`queue ${name}: the key ${key} has a wildcard (* or #)`);
    }
  }
  for (const what of ["messages", "bytes"] as const) {
    if (!Number.isSafeInteger(limit[what]) || limit[what] < 0) {
      throw new RangeError(`queue ${name}: its limit of ${what} must be a whole number, not ${limit[what]}`);
    }
  }
}

/**
 * Checks the length of a name, key or messageId: at most 255 bytes, as its length is one byte (AMQP 0-9-1, 4.2.5.3).
 */
export function checkShort(text: string, of: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > 255)
    throw new RangeError(`${of}: ${JSON.stringify(text.slice(0, 40))}… has ${bytes} bytes; 255 is the most`);
}
