import { BrokerTrouble } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";

/** A message on its way to the server. */
export interface Outgoing {
  readonly key: string;
  readonly body: Buffer;
  readonly messageId: string | undefined;
  /** True if the server has returned the message, as no queue has its key. */
  unroutable?: boolean;
  /** The time at which the message was sent, in milliseconds of the monotonic clock. */
  sentAt?: number;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** The messages on their way to the server, in the order of the calls. Each waits at first, and is then in flight until its confirm. */
export interface SendWindow {
  /** The number of messages that wait or are in flight. */
  readonly size: number;
  /** Appends a message to those that wait. Throws `BrokerTrouble` if their number or their bytes are at the limit. */
  add(message: Outgoing): void;
  /** Moves the first message that waits into flight, and gives it an id. Undefined if none waits, or the limit of flight is reached. */
  next(): readonly [id: string, message: Outgoing] | undefined;
  /** The message in flight with this id; undefined if its flight has ended. */
  inFlight(id: string): Outgoing | undefined;
  /**
   * The first message in flight, and the time since which only its own confirm is missing. On a slow line each message
   * waits for the confirms before it.
   */
  oldest(): { readonly message: Outgoing; readonly since: number } | undefined;
  /** Ends the flight of a message and returns it; undefined if its flight has ended before. */
  land(id: string): Outgoing | undefined;
  /** Fails all messages in flight: the server may have them or not. */
  loseInFlight(why: string): void;
  /** Fails all messages that wait. */
  loseWaiting(why: string): void;
  /** Resolves when no message waits or is in flight. */
  drained(): Promise<void>;
}

/**
 * The most messages and bytes in flight: enough to keep a server busy, few enough for an early refusal by a full queue.
 */
const flightMessages = 500;
const flightBytes = 16 * 1024 * 1024;
/** The most messages and bytes that wait, during an alarm of the server, before a call throws. */
const waitingMessages = 10_000;
const waitingBytes = 64 * 1024 * 1024;

/** Opens an empty window. */
export function sendWindow(clock: Clock): SendWindow {
  const waiting: Outgoing[] = [];
  const flight = new Map<string, Outgoing>();
  let bytesWaiting = 0;
  let bytesInFlight = 0;
  let sent = 0;
  /** The time at which the first message in flight became the first. */
  let firstSince = Number.NEGATIVE_INFINITY;
  let drained: PromiseWithResolvers<void> | undefined;

  const isEmpty = (): boolean => waiting.length + flight.size === 0;
  function noteEmpty(): void {
    if (!isEmpty()) return;
    drained?.resolve();
    drained = undefined;
  }

  return {
    get size() {
      return waiting.length + flight.size;
    },

    add(message) {
      const { key, body } = message;
      if (waiting.length >= waitingMessages || bytesWaiting + body.length > waitingBytes) {
        throw new BrokerTrouble(`the message to ${key} was not sent: ${waiting.length} wait for the broker already`);
      }
      bytesWaiting += body.length;
      waiting.push(message);
    },

    next() {
      if (flight.size >= flightMessages || bytesInFlight >= flightBytes) return undefined;
      const message = waiting.shift();
      if (!message) return undefined;
      const id = `${++sent}`;
      bytesWaiting -= message.body.length;
      bytesInFlight += message.body.length;
      message.sentAt = clock.monotonic();
      flight.set(id, message);
      return [id, message];
    },

    inFlight: (id) => flight.get(id),

    oldest() {
      const [message] = flight.values();
      return message && { message, since: Math.max(message.sentAt ?? clock.monotonic(), firstSince) };
    },

    land(id) {
      const message = flight.get(id);
      if (!message) return undefined;
      if (flight.keys().next().value === id) firstSince = clock.monotonic();
      flight.delete(id);
      bytesInFlight -= message.body.length;
      noteEmpty();
      return message;
    },

    loseInFlight(why) {
      const lost = [...flight.values()];
      flight.clear();
      bytesInFlight = 0;
      for (const { key, failed } of lost) {
        failed(new BrokerTrouble(`the message to ${key} was not confirmed, and may have arrived or not: ${why}`));
      }
      noteEmpty();
    },

    loseWaiting(why) {
      bytesWaiting = 0;
      for (const { key, failed } of waiting.splice(0)) {
        failed(new BrokerTrouble(`the message to ${key} was not sent: ${why}`));
      }
      noteEmpty();
    },

    async drained() {
      if (isEmpty()) return;
      drained ??= Promise.withResolvers<void>();
      await drained.promise;
    },
  };
}
