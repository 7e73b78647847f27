/** The carrier of messages: RabbitMQ between machines, one SQLite file on one machine, memory in tests. */
export interface Broker {
  /** Makes sure that queues exist with their bindings. One that exists with other limits is used as it is, and said. */
  declare(queues: readonly Queue[]): Promise<void>;
  /**
   * Publishes durably to every queue bound with the key, and returns when the broker has it.
   * Messages published by one broker object reach each queue in the order of the calls.
   * Throws `QueueFull` if a queue that refuses is full. No queue then has the message; with RabbitMQ, queues with room have it, hence `messageId`.
   * Throws `MessageRefused` if another queue refuses it: the other queues of its key have it.
   * Throws `BrokerTrouble` if the broker cannot be reached.
   */
  publish(key: string, body: Uint8Array | string, options?: { messageId?: string }): Promise<void>;
  /**
   * Hands over a queue's messages in order, at most `prefetch` of them unacknowledged, until closed.
   * A queue has one consumer at a time: another one waits, and takes over when the one before it closes or dies. Throws for a queue that is not there.
   */
  consume(queue: string, take: (delivery: Delivery) => void, options: { prefetch: number }): Promise<Consumer>;
  /** Takes part in an election: `changed(true)` when this candidate becomes the active one, `changed(false)` when it no longer is. */
  campaign(election: string, changed: (active: boolean) => void): Promise<Consumer>;
  /**
   * Removes queues, with what they hold, and gives the names of those that there were.
   * Throws `QueueInUse`, and removes none, while one of them has a consumer.
   */
  remove(queues: readonly string[]): Promise<string[]>;
  /** Says what is known of the connection, for status: undefined when all is well. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export interface Queue {
  readonly name: string;
  readonly keys: readonly string[];
  readonly limit: Limit;
}

/** Beyond its limit a queue drops its oldest message or refuses the newest. Whether what is handed over and not yet acknowledged counts is the broker's own. */
export interface Limit {
  readonly messages: number;
  /** Bytes of bodies; RabbitMQ counts some 30 more of each message from 4.3 on. */
  readonly bytes: number;
  readonly beyond: "drop" | "refuse";
}

export interface Delivery {
  readonly key: string;
  readonly body: Uint8Array;
  /** The publisher's own id of the message, where it gave one. */
  readonly messageId?: string;
  /** True if the message may have been handed over before. */
  readonly redelivered: boolean;
  /** The user that published the message, where it said so and the broker has seen to it that it is true. */
  readonly user?: string;
  /** Tells the broker that the message is safe elsewhere. */
  ack(): void;
}

export interface Consumer {
  /** Stops; what was not acknowledged goes back to the head of the queue, in order. */
  close(): Promise<void>;
}

/**
 * The broker did not do its work, for a reason outside this program. The message names it, and the place to look at.
 */
export class BrokerTrouble extends Error {
  override name = "BrokerTrouble";
}

/** A queue refused a message although none of its key is declared to. The other queues of the key have it. */
export class MessageRefused extends BrokerTrouble {
  override name = "MessageRefused";
}

/** A queue that refuses rather than drops is full. */
export class QueueFull extends BrokerTrouble {
  override name = "QueueFull";
  readonly queue: string;
  constructor(queue: string) {
    super(`queue ${queue} is full: its host does not keep up or is off`);
    this.queue = queue;
  }
}

/** A queue that is to be removed has a consumer. */
export class QueueInUse extends BrokerTrouble {
  override name = "QueueInUse";
  readonly queue: string;
  constructor(queue: string) {
    super(`queue ${queue} is consumed: its host is still up with a config that has it`);
    this.queue = queue;
  }
}
