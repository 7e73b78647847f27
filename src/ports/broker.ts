/** The carrier of messages: RabbitMQ between machines, one SQLite file on one machine, memory in tests. */
export interface Broker {
  /**
   * Makes sure that `queues` exist with their bindings. An existing queue with other limits is used unchanged, and
   * reported.
   */
  declare(queues: readonly Queue[]): Promise<void>;
  /**
   * Publishes `body` durably to every queue that is bound with `key`, and returns when the broker has stored it.
   * Messages published by one broker object reach each queue in the order of the calls. A message that a full queue
   * refuses is in no queue. With RabbitMQ, queues with room have it, hence `options.messageId`. After `MessageRefused`
   * the other queues of its key have it.
   *
   * @throws `QueueFull` if a queue that refuses is full, `MessageRefused` if another queue refuses it, `BrokerTrouble` if
   * the broker cannot be reached.
   */
  publish(key: string, body: Uint8Array | string, options?: { messageId?: string }): Promise<void>;
  /**
   * Delivers the messages of `queue` to `take` in order, until closed. At most `options.prefetch` of them are
   * unacknowledged. A queue has one consumer at a time. Another one waits, and takes over when the one before it closes
   * or dies.
   *
   * @throws an error for a queue that does not exist.
   */
  consume(queue: string, take: (delivery: Delivery) => void, options: { prefetch: number }): Promise<Consumer>;
  /**
   * Takes part in `election`: calls `changed(true)` when this candidate becomes the active one, `changed(false)` when
   * it no longer is. To close the result is to leave.
   */
  campaign(election: string, changed: (active: boolean) => void): Promise<Consumer>;
  /**
   * Removes `queues` with their messages, and returns the names of those that existed.
   *
   * @throws `QueueInUse`, and removes none, while one of them has a consumer.
   */
  remove(queues: readonly string[]): Promise<string[]>;
  /** The trouble of the connection, for status; undefined if there is none. */
  trouble(): string | undefined;
  /** Ends the connection: its consumers and candidates leave, and their unacknowledged messages are requeued. */
  close(): Promise<void>;
}

/** A queue to declare. */
export interface Queue {
  /** The name of the queue. */
  readonly name: string;
  /** The routing keys whose messages it gets. */
  readonly keys: readonly string[];
  /** The most that it holds. */
  readonly limit: Limit;
}

/** The limit of a queue. Whether delivered, unacknowledged messages count towards it depends on the broker. */
export interface Limit {
  /** The most messages. */
  readonly messages: number;
  /** The most bytes of bodies; RabbitMQ counts some 30 more of each message from 4.3 on. */
  readonly bytes: number;
  /** The fate of a message beyond the limit: the oldest is dropped, or the newest refused. */
  readonly beyond: "drop" | "refuse";
  /** The longest wait of a message for its delivery, in milliseconds; then it is dropped. Absent: no such limit. */
  readonly lifetime?: number;
}

/** A message that is delivered to a consumer. */
export interface Delivery {
  /** The routing key by which it was published. */
  readonly key: string;
  /** The content, which is the consumer's own copy. */
  readonly body: Uint8Array;
  /** The publisher's own id of the message, if it has one. */
  readonly messageId?: string;
  /** True if the message may have been delivered before. */
  readonly redelivered: boolean;
  /** The user that published the message, if the message names it and the broker has verified it. */
  readonly user?: string;
  /** Acknowledges the message: the queue forgets it. A second call does nothing. */
  ack(): void;
}

/** A consumer of a queue, or a candidate of an election. */
export interface Consumer {
  /** Stops; unacknowledged messages go back to the head of the queue, in order. */
  close(): Promise<void>;
}

/**
 * Thrown if the broker did not do its work, for a reason outside this program. The message names the reason and the
 * place to look at.
 */
export class BrokerTrouble extends Error {
  override name = "BrokerTrouble";
}

/**
 * Thrown if a queue refused a message although no queue of its key is declared to refuse. The other queues of the key
 * have it.
 */
export class MessageRefused extends BrokerTrouble {
  override name = "MessageRefused";
}

/** Thrown if a full queue refuses a message. */
export class QueueFull extends BrokerTrouble {
  override name = "QueueFull";
  /** The name of the queue. */
  readonly queue: string;
  /** Makes the error of `queue`. */
  constructor(queue: string) {
    super(`queue ${queue} is full: its host is down or does not keep up`);
    this.queue = queue;
  }
}

/** Thrown if a queue to remove has a consumer. */
export class QueueInUse extends BrokerTrouble {
  override name = "QueueInUse";
  /** The name of the queue. */
  readonly queue: string;
  /** Makes the error of `queue`. */
  constructor(queue: string) {
    super(`queue ${queue} has a consumer: its host is still up with a config that has the queue`);
    this.queue = queue;
  }
}
