import type { Delivery, Limit } from "../../ports/broker.ts";
import { openLine } from "./line.ts";

/** A message as a queue in memory holds it. */
export interface HeldMessage {
  /** The routing key by which it was published. */
  readonly key: string;
  /** The content. */
  readonly body: Uint8Array;
  /** The publisher's own id of the message, where it gave one. */
  readonly messageId?: string;
  /** True if the message was handed over and is not yet acknowledged. */
  readonly unacknowledged: boolean;
  /** True if the message may have been handed over before. */
  readonly redelivered: boolean;
}

type Held = { -readonly [field in keyof HeldMessage]: HeldMessage[field] } & { readonly at: number };

/**
 * A queue in memory. A message that was handed over counts towards the limit, and is the first to be dropped, as its
 * consumer has it already.
 */
export class MemoryQueue {
  readonly keys = new Set<string>();
  readonly held: Held[] = [];
  readonly #limit: Limit;
  readonly #now: () => number;
  readonly #line = openLine();
  #bytes = 0;
  /** Hands messages to the present consumer, up to its prefetch. */
  #handOver = (): void => {};
  #scheduled = false;

  constructor(limit: Limit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** True if the queue has a consumer, or one that waits for its turn. */
  get consumed(): boolean {
    return this.#line.length > 0;
  }

  /** True if the queue has no room for a message of this size in bytes, and refuses instead of dropping. */
  refuses(bytes: number): boolean {
    return this.#limit.beyond === "refuse" && this.#overflows(1, bytes);
  }

  add(message: Pick<HeldMessage, "key" | "body" | "messageId">): void {
    this.held.push({ ...message, unacknowledged: false, redelivered: false, at: this.#now() });
    this.#bytes += message.body.length;
    for (let oldest = this.held[0]; oldest && this.#overflows(0, 0); oldest = this.held[0]) this.remove(oldest);
    this.#wake();
  }

  remove(message: Held): void {
    const place = this.held.indexOf(message);
    if (place < 0) return;
    this.held.splice(place, 1);
    this.#bytes -= message.body.length;
  }

  /**
   * Hands messages over once all earlier consumers have left. Returns a function that ends the consumer and requeues its
   * unacknowledged messages.
   */
  consume(take: (delivery: Delivery) => void, prefetch: number): () => void {
    const mine = new Set<Held>();
    const handOver = (): void => {
      this.#dropOld();
      for (const message of this.held.slice(0, prefetch)) {
        if (mine.size >= prefetch || this.#handOver !== handOver) return;
        if (message.unacknowledged) continue;
        message.unacknowledged = true;
        mine.add(message);
        const { key, body, messageId, redelivered } = message;
        take({
          key,
          body: body.slice(),
          ...(messageId !== undefined && { messageId }),
          redelivered,
          ack: ack(message),
        });
      }
    };
    const ack = (message: Held) => (): void => {
      if (!mine.delete(message)) return;
      this.remove(message);
      this.#wake();
    };
    const leave = this.#line.enter(() => {
      this.#handOver = handOver;
      this.#wake();
    });
    return () => {
      if (this.#handOver === handOver) this.#handOver = () => {};
      for (const message of mine) Object.assign(message, { unacknowledged: false, redelivered: true });
      mine.clear();
      leave();
    };
  }

  /** Drops the messages that have waited longer than their lifetime. */
  #dropOld(): void {
    const { lifetime } = this.#limit;
    if (lifetime === undefined) return;
    const isOld = ({ unacknowledged, at }: Held): boolean => !unacknowledged && this.#now() - at > lifetime;
    for (const message of this.held.filter(isOld)) this.remove(message);
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#handOver();
    });
  }

  #overflows(messages: number, bytes: number): boolean {
    return this.held.length + messages > this.#limit.messages || this.#bytes + bytes > this.#limit.bytes;
  }
}
