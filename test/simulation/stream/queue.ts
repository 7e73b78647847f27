/** A queue of the model's broker: short, drops its head, hands over at most `prefetch` messages, and takes them back when its consumer dies. */
export interface Queue<Message> {
  readonly unacknowledged: number;
  push(message: Message): void;
  /** The next message, when the consumer may have one more; it stays unacknowledged. */
  deliver(): Message | undefined;
  /** Acknowledges the oldest delivery. */
  ack(): void;
  /** The consumer died: what it had not acknowledged goes back to the head, and over the limit the head is dropped. */
  giveBack(): void;
  /** Forgets what waits; what is handed over stays. */
  purge(): void;
  /** The broker is gone with its disk. */
  lose(): void;
}

export function queue<Message>(limit: number, prefetch: number): Queue<Message> {
  let waiting: Message[] = [];
  let handedOver: Message[] = [];
  const dropHead = () => {
    if (waiting.length > limit) waiting = waiting.slice(waiting.length - limit);
  };
  return {
    get unacknowledged() {
      return handedOver.length;
    },
    push(message) {
      waiting.push(message);
      dropHead();
    },
    deliver() {
      if (handedOver.length >= prefetch) return undefined;
      const next = waiting.shift();
      if (next !== undefined) handedOver.push(next);
      return next;
    },
    ack() {
      handedOver.shift();
    },
    giveBack() {
      waiting = [...handedOver, ...waiting];
      handedOver = [];
      dropHead();
    },
    purge() {
      waiting = [];
    },
    lose() {
      waiting = [];
      handedOver = [];
    },
  };
}
