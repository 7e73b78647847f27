import type { Channel, ConsumeMessage } from "amqplib";
import { reason } from "../../core/util/errors.ts";
import type { SayOnce } from "../../core/util/once-each.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { Consumer, Delivery } from "../../ports/broker.ts";
import { closeChannel, isRefused, noRight, openChannel } from "./channels.ts";
import type { Connection } from "./connection.ts";
import { spoofed } from "./spoofed.ts";
import type { Topology } from "./topology.ts";

/** A consumer that continues over new connections. */
export interface RabbitConsumer extends Consumer {
  /** Consumes over a connection. Throws when the server refuses. */
  begin(connection: Connection): Promise<void>;
  /** Consumes over a new connection, with retries until that connection ends too. */
  resume(connection: Connection): Promise<void>;
  /** Consumes again, over another channel: the server may have forgotten the consumer of the present one. */
  restart(why: string): void;
  /** True if a message came since the last call, or is unacknowledged. */
  isReceiving(): boolean;
  trouble(): string | undefined;
}

interface Options {
  readonly prefetch: number;
  /** The queues of this broker object, to be declared again. */
  readonly declared: Pick<Topology, "restore" | "expendable" | "wasThere">;
  /** Recreates the queue, if its content may be lost. */
  readonly recreate: (connection: Connection) => Promise<void>;
  /** The keys of the queue, if they are known: a message with another key is dropped. */
  readonly keys?: () => readonly string[] | undefined;
  /** True if a message counts even without the right of its publisher to its key: only its arrival matters. */
  readonly anyPublisher?: boolean;
  /** Takes a message that is for the broker object itself; returns false for any other. */
  readonly asked?: (message: ConsumeMessage) => boolean;
  /** Called when its channel has ended, and with it all unacknowledged messages. */
  lost?(): void;
  /** Waits before the next try, longer at each failure in a row; returns false when the broker object is closed. */
  pause(failures: number): Promise<boolean>;
  /** Waits until the consumers of a deleted queue are notified of its end. */
  awaitDeletion(): Promise<void>;
  readonly log: (line: string) => void;
  /** Logs, once for each kind, a message that does not belong in the queue. */
  readonly useless: SayOnce;
}

/** The number of failures in a row after which a pause is the longest: 2.5 to 5 seconds. */
const longest = 8;
/**
 * The number of such pauses after which an unresponsive queue is logged, and after which it is recreated if its content
 * may be lost. A node that pauses or dies is replaced long before.
 */
const saidAfter = 2;
const recreatedAfter = 6;

/**
 * Delivers the messages of a queue. It starts again after the queue is deleted, or the server has closed the channel.
 */
export function rabbitConsumer(queue: string, take: (delivery: Delivery) => void, options: Options): RabbitConsumer {
  const {
    prefetch,
    declared,
    recreate,
    keys,
    anyPublisher = false,
    asked,
    lost,
    pause,
    awaitDeletion,
    log,
    useless,
  } = options;
  let channel: Channel | undefined;
  let current: Connection | undefined;
  let trouble: string | undefined;
  let closed = false;
  let came = false;
  let inHand = 0;
  /**
   * The waits in a row for an answer of the queue, over all connections: a server may close one that consumes a lost
   * queue.
   */
  let unanswered = 0;

  async function begin(connection: Connection): Promise<void> {
    current = connection;
    const opened = await openChannel(connection);
    let why = "its channel was closed";
    opened.on("error", (error) => {
      why = reason(error);
    });
    channel = opened; // before the first delivery, which may come together with the answer
    inHand = 0;
    let answered = false;
    void mendUnanswered(connection, () => answered);
    try {
      await opened.prefetch(prefetch);
      await opened.consume(queue, (message) => {
        if (message) give(message, opened);
        else void again(opened, connection, "it was deleted", awaitDeletion);
      });
      unanswered = 0;
    } catch (error) {
      channel = undefined;
      await closeChannel(opened);
      throw refusal(error);
    } finally {
      answered = true;
    }
    opened.on("close", () => void again(opened, connection, why));
    trouble = undefined;
    if (closed) await leave();
  }

  function refusal(error: unknown): unknown {
    if (isRefused(error, 404)) {
      const why = declared.wasThere(queue) ? "it was deleted" : "it is not there";
      return new Error(`queue ${queue} cannot be consumed: ${why}`);
    }
    if (!isRefused(error, 403)) return error;
    return noRight(`read queue ${queue}`, error);
  }

  /** Repairs a queue that does not answer. It never answers after a crash that lost the beginning of its log. */
  async function mendUnanswered(connection: Connection, answered: () => boolean): Promise<void> {
    for (;;) {
      if (answered() || !(await wait(connection, longest)) || answered()) return;
      unanswered += 1;
      if (unanswered === saidAfter) {
        trouble = `queue ${queue} does not answer`;
        const remedy = declared.expendable(queue)
          ? "it is recreated"
          : `\`rabbitmqctl delete_queue ${queue}\` mends it`;
        log(`${trouble}: if it stays so, a crash has broken it, and ${remedy}`);
      }
      if (unanswered % recreatedAfter === 0) await recreate(connection);
    }
  }

  /** Starts again after its channel has ended alone, while the connection remains. */
  async function again(ended: Channel, connection: Connection, why: string, first = async () => {}): Promise<void> {
    if (channel !== ended) return;
    channel = undefined;
    lost?.();
    void closeChannel(ended);
    await first();
    if (closed || !(await wait(connection, 0))) return; // the connection has ended too, and the next one starts the consumer again
    log(`queue ${queue} is no longer consumed: ${why}; trying again`);
    await resume(connection);
    if (channel) log(`queue ${queue} is consumed again`);
  }

  /** Consumes over a connection, with retries until that connection ends. */
  async function resume(connection: Connection): Promise<void> {
    current = connection;
    for (let failures = 1; !closed && current === connection; failures++) {
      try {
        await declared.restore(connection, queue);
        return await begin(connection);
      } catch (error) {
        const said = `queue ${queue} is not consumed: ${reason(error)}`;
        if (!(await wait(connection, failures))) return;
        if (trouble !== said) log(said);
        trouble = said;
      }
    }
  }

  /** Waits between retries; returns false once the consumer is closed or the connection has ended. */
  async function wait(connection: Connection, failures: number): Promise<boolean> {
    const over = connection.ended.then(() => false);
    return (await Promise.race([over, pause(failures)])) && !closed && current === connection;
  }

  function give(message: ConsumeMessage, over: Channel): void {
    if (closed) return; // the server requeues the message with the end of the channel
    came = true;
    const { content, fields, properties } = message;
    const wrong = anyPublisher ? undefined : spoofed(message, keys?.());
    if (wrong !== undefined) {
      const { userId } = message.properties;
      const user = typeof userId === "string" ? userId : undefined;
      const who = user === undefined ? "" : ` of ${user}`;
      useless(user, plainLine(`queue ${queue}: a message${who} is dropped: ${wrong}`, 1_000));
      over.ack(message);
      return;
    }
    if (asked?.(message)) {
      over.ack(message);
      return;
    }
    let open = true;
    inHand += 1;
    const { messageId, userId } = properties;
    const delivery: Delivery = {
      key: fields.routingKey,
      body: content,
      ...(typeof messageId === "string" && { messageId }),
      redelivered: fields.redelivered,
      ...(typeof userId === "string" && { user: userId }),
      ack() {
        // The unacknowledged messages of an ended channel belong to another consumer by now.
        if (!open || channel !== over) return;
        open = false;
        inHand -= 1;
        try {
          over.ack({ content, fields, properties });
        } catch {
          // The connection is closing, so the server delivers the message again.
        }
      },
    };
    try {
      take(delivery);
    } catch (error) {
      log(`queue ${queue}: the handler of a message failed: ${reason(error)}`);
    }
  }

  async function leave(): Promise<void> {
    const open = channel;
    channel = undefined;
    if (!open) return;
    lost?.();
    await closeChannel(open);
  }

  return {
    begin,
    resume,
    restart(why) {
      if (channel && current) void again(channel, current, why);
    },
    isReceiving() {
      const fed = came || inHand > 0;
      came = false;
      return fed;
    },
    trouble: () => trouble,
    async close() {
      closed = true;
      current = undefined;
      await leave();
    },
  };
}
