import type { ConfirmChannel, Message } from "amqplib";
import { exchange } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import { BrokerTrouble, QueueFull } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { isRefusal, publishAlone } from "./alone.ts";
import { closeChannel, isRefused, noRight } from "./channels.ts";
import { type ConfirmWatch, confirmWatch } from "./confirm-watch.ts";
import type { Connection } from "./connection.ts";
import { type Outgoing, sendWindow } from "./send-window.ts";
import { checkShort } from "./topology.ts";

/** The handling of messages that the server did not take. */
export interface Refusals {
  /** The error for a message that the server refused (a negative confirm). */
  refused(key: string): Promise<Error>;
  /** The error for a message that reached no queue, or undefined when that is no error. */
  unroutable(key: string): Error | undefined;
  /** Examines the queues of a message that the server did not confirm. */
  unconfirmed(key: string): Promise<void>;
}

/** Publishes over the present connection, in the order of the calls. */
export interface Publisher {
  /** Begins to publish over a connection. */
  begin(connection: Connection): Promise<void>;
  /** Notes the end of the connection: all messages that are unconfirmed or wait fail with `why`. */
  lose(why: string): void;
  publish(key: string, body: Uint8Array | string, messageId: string | undefined): Promise<void>;
  /** The number of messages that are not confirmed yet. */
  readonly pending: number;
  /** The record of confirms of the present node. */
  readonly confirmWatch: Pick<ConfirmWatch, "silent" | "nodeSuspected">;
  /** Resolves when every published message is confirmed or has failed. */
  finished(): Promise<void>;
}

/** The largest message, in bytes. RabbitMQ 4 takes no larger one by default, and closes the channel of its sender. */
const largest = 16 * 1024 * 1024;

/**
 * The longest wait of the oldest message for its confirm, alarms apart, in milliseconds. A cluster notices a lost node
 * sooner.
 */
const confirmTimeout = 10_000;
/**
 * The time without any confirm for a key after which its queues are examined, in milliseconds: a node that pauses or
 * dies is replaced before.
 */
const repairAfter = 30_000;

export interface PublisherOptions extends Refusals {
  /** The number of addresses that the server has. */
  readonly addresses: number;
  /** Declares the exchange and the queues again, as they may have been deleted. */
  repair(): Promise<void>;
  /** The user that the messages name; the server refuses a message that names another one. */
  readonly user?: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export function publisher({
  refused,
  unroutable,
  unconfirmed,
  addresses,
  repair,
  user,
  clock,
  signal,
}: PublisherOptions): Publisher {
  const window = sendWindow(clock);
  /** The time since which no message of a key was confirmed, by key; only for keys with failures. */
  const downSince = new Map<string, number>();
  let channel: ConfirmChannel | undefined;
  let current: Connection | undefined;
  let blocked = (): boolean => false;
  let watching = false;
  const confirms = confirmWatch(addresses);

  function pump(): void {
    while (channel) {
      const next = window.next();
      if (!next) return;
      send(...next, channel);
    }
  }

  function send(id: string, message: Outgoing, over: ConfirmChannel): void {
    const { key, body, messageId } = message;
    void watch();
    const confirmed = (error: unknown): void => {
      if (error && !isRefusal(error)) return; // the channel was closed, and its owner has the reason
      if (!window.land(id)) return;
      if (error) void refuse(message, over);
      else arrived(message);
      pump();
    };
    try {
      over.publish(exchange, key, body, optionsOf(messageId, id), confirmed);
    } catch (error) {
      // The channel has just been closed.
      window.land(id);
      message.failed(new BrokerTrouble(`the message to ${key} was not sent: ${reason(error)}`));
    }
  }

  const optionsOf = (messageId: string | undefined, correlationId: string) => ({
    ...{ mandatory: true, persistent: true, correlationId },
    ...(messageId !== undefined && { messageId }),
    ...(user !== undefined && { userId: user }),
  });

  /**
   * Tries a refused message once more, over a channel of its own. If the server takes it there, the old channel is
   * stale and is left. If it is refused again, a queue refuses it, and the other messages in flight are not affected.
   */
  async function refuse(message: Outgoing, over: ConfirmChannel): Promise<void> {
    const { key, failed } = message;
    const why = await refused(key).catch((error: unknown) => new BrokerTrouble(reason(error)));
    if (why instanceof QueueFull) return failed(why);
    const alone = { exchange, ...message, options: optionsOf(message.messageId, "alone") };
    const again = current && (await publishAlone(current, alone, { clock, signal, timeout: confirmTimeout }));
    if (again === "taken") arrived(message);
    else failed(why);
    if (again !== "refused" && channel === over) await renew(`the message to ${key} was refused`);
    if (again !== "taken") sayDown(message);
  }

  /** Has the queues of a key examined after several channels in a row had no confirm for it. */
  function sayDown({ key, sentAt = clock.monotonic() }: Outgoing): void {
    const since = downSince.get(key) ?? sentAt;
    if (clock.monotonic() - since < repairAfter || confirms.nodeSuspected) {
      downSince.set(key, since);
    } else {
      downSince.delete(key);
      void unconfirmed(key);
    }
  }

  /**
   * Continues over another channel. A channel remembers the leader of a quorum queue, even after a node was lost or
   * restarted (RabbitMQ 3.10). It then refuses every message because that leader is missing, or holds them back behind
   * a lost one.
   */
  async function renew(why: string): Promise<void> {
    const [stale, connection] = [channel, current];
    if (!stale || !connection) return;
    channel = undefined;
    window.loseInFlight(why);
    void closeChannel(stale); // the answer may be late
    await begin(connection).catch((error) => connection.destroy(reason(error)));
  }

  /** Abandons messages that the server does not confirm in time, and their channel. */
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    let since = Number.NEGATIVE_INFINITY; // before that, the server was not reading
    while (window.oldest() && !signal.aborted) {
      await clock.sleep(1_000, signal);
      const now = clock.monotonic();
      if (blocked()) since = now;
      const oldest = window.oldest();
      if (!oldest || now - Math.max(oldest.since, since) < confirmTimeout) continue;
      const leave = confirms.noteNone();
      if (leave !== undefined) {
        current?.destroy(leave);
        continue;
      }
      await renew(`no confirm of ${oldest.message.key} came within ${confirmTimeout / 1000} s`);
      sayDown(oldest.message);
    }
    watching = false;
  }

  function arrived(message: Outgoing): void {
    confirms.noteConfirm();
    downSince.delete(message.key);
    const error = message.unroutable ? unroutable(message.key) : undefined;
    if (error) message.failed(error);
    else message.done();
  }

  async function begin(connection: Connection): Promise<void> {
    const opened = await connection.model.createConfirmChannel();
    let why = "the channel that publishes was closed";
    opened.on("error", (error) => {
      why = reason(isRefused(error, 403) ? noRight("publish", error) : error);
    });
    opened.on("close", () => void again(opened, connection, why));
    opened.on("return", ({ properties }: Message) => {
      const message = window.inFlight(`${properties.correlationId}`);
      if (message) message.unroutable = true; // the confirm of the message follows
    });
    blocked = () => connection.blocked !== undefined;
    current = connection;
    channel = opened;
    pump();
  }

  /**
   * Continues over another channel after the server has closed this one alone, as without the exchange. Waiting
   * messages stay.
   */
  async function again(ended: ConfirmChannel, connection: Connection, why: string): Promise<void> {
    if (channel !== ended) return;
    channel = undefined;
    let over = false;
    void connection.ended.then(() => {
      over = true;
    });
    await new Promise((resolve) => setImmediate(resolve)); // a connection that ends closes its channels first
    if (over) return; // `lose` follows, with the reason
    window.loseInFlight(why);
    try {
      await repair();
      await begin(connection);
    } catch (error) {
      connection.destroy(reason(error));
    }
  }

  return {
    begin,
    lose(why) {
      channel = undefined;
      current = undefined;
      confirms.noteEnd();
      window.loseInFlight(why);
      window.loseWaiting(why);
    },

    async publish(key, body, messageId) {
      checkShort(key, "a key");
      if (messageId !== undefined) checkShort(messageId, "a messageId");
      const bytes = Buffer.from(body); // a copy, as the message may wait and the caller may change the bytes
      if (bytes.length > largest) {
        throw new RangeError(`a message to ${key} has ${bytes.length} bytes; ${largest} is the most`);
      }
      return new Promise((done, failed) => {
        window.add({ key, body: bytes, messageId, done, failed });
        pump();
      });
    },

    confirmWatch: confirms,

    get pending() {
      return window.size;
    },

    finished: window.drained,
  };
}
