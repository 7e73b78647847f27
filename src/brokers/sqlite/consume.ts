import { reason } from "../../core/util/errors.ts";
import type { Consumer, Delivery } from "../../ports/broker.ts";
import { type Lock, takeLock } from "../../sqlite/lock.ts";
import type { BrokerFile } from "./file.ts";
import { integer, type Statements, type StoredMessage, storedMessage, storedQueue } from "./schema.ts";
import type { Wake } from "./wake.ts";

/** A consumer of a queue. It waits for its turn while the queue has another consumer. */
export interface SqliteConsumer extends Consumer {
  trouble(): string | undefined;
}

interface Options {
  readonly file: BrokerFile;
  readonly wake: Wake;
  /** The file that is touched when the queue has something new, or its consumer leaves. */
  readonly sign: string;
  /** The file with the lock of the queue's consumer. The kernel drops the lock with the process. */
  readonly lockFile: string;
  readonly prefetch: number;
  readonly log: (line: string) => void;
}

/** A turn at a queue: from the lock to its release, in one life of the file. */
interface Turn {
  readonly life: number;
  readonly queue: number;
  /** Messages up to this id may have been handed over before this turn. */
  readonly handedOver: number;
  /** The longest wait of a message, in milliseconds; undefined for no limit. */
  readonly lifetime: number | undefined;
  /** The id of the newest message that this turn handed over. */
  reached: number;
  readonly inHand: Set<number>;
  readonly acknowledged: Set<number>;
}

/** The most messages that are read at once: bodies may be large, and other work waits for the event loop. */
const readAtOnce = 32;

/** Delivers the messages of a queue in order, while this consumer has the queue's lock. */
export function startConsumer(
  name: string,
  take: (delivery: Delivery) => void,
  { file, wake, sign, lockFile, prefetch, log }: Options,
): SqliteConsumer {
  let lock: Lock | undefined;
  let turn: Turn | undefined;
  let trouble: string | undefined;
  let closing: Promise<void> | undefined;
  let working: Promise<void> | undefined;
  let lookAgain = false;

  const look = (): void => {
    lookAgain = true;
    working ??= work();
  };
  const unlisten = wake.listen(sign, look);
  look();

  async function work(): Promise<void> {
    while (lookAgain && !closing) {
      // Other work gets its turn of the event loop, and the acknowledgements of one turn are stored together.
      await new Promise((resolve) => setImmediate(resolve));
      lookAgain = false;
      try {
        trouble = await step();
      } catch (error) {
        trouble = reason(error); // polling tries again
      }
    }
    working = undefined;
  }

  /** Does the work that is possible now; returns the reason why no more is, if any. */
  async function step(): Promise<string | undefined> {
    if (lock && !lock.held()) leave();
    lock ??= takeLock(lockFile);
    if (!lock) return `queue ${name} has another consumer: waiting for its turn`;
    if (turn?.life !== file.life) turn = await begin();
    if (!turn) return `queue ${name} is not there: it was removed, or lost with its file`;
    await storeAcknowledgements(turn);
    await handOver(turn);
    return undefined;
  }

  function leave(): void {
    lock?.release();
    lock = undefined;
    turn = undefined;
  }

  function begin(): Promise<Turn | undefined> {
    return file.write((statements, life) => {
      const row = statements.queue.get(name);
      if (!row) return undefined;
      const { id, consumed, handedOver, lifetime } = storedQueue(row);
      // A consumer that began and did not end has died: it may have got any present message.
      const before = consumed ? integer(statements.newest.get(id)?.id) : handedOver;
      statements.consumption.run(1, before, id);
      statements.recount.run(id); // repairs a damaged count
      return { life, queue: id, handedOver: before, lifetime, reached: 0, inHand: new Set(), acknowledged: new Set() };
    });
  }

  async function handOver(current: Turn): Promise<void> {
    const room = Math.min(prefetch - current.inHand.size, readAtOnce);
    if (room <= 0) return;
    const messages = await file.read(({ next }, life) =>
      life === current.life ? next.all(current.queue, current.reached, room).map(storedMessage) : undefined,
    );
    if (!messages || messages.length === room) look();
    for (const message of messages ?? []) {
      if (closing || turn !== current) return;
      current.reached = message.id;
      if (isTooOld(message, current)) {
        current.acknowledged.add(message.id);
        look();
        continue;
      }
      current.inHand.add(message.id);
      give(message, current);
    }
  }

  /** True for a message past its lifetime. The clock of one machine judges both moments. */
  const isTooOld = ({ at }: StoredMessage, { lifetime }: Turn): boolean =>
    lifetime !== undefined && Date.now() - at > lifetime;

  function give({ id, key, messageId, body }: StoredMessage, current: Turn): void {
    const redelivered = id <= current.handedOver;
    const ack = (): void => {
      if (turn !== current || !current.inHand.delete(id)) return;
      current.acknowledged.add(id);
      look();
    };
    try {
      take({ key, body, ...(messageId !== undefined && { messageId }), redelivered, ack });
    } catch (error) {
      log(`queue ${name}: the handler of a message failed: ${reason(error)}`);
    }
  }

  /**
   * Stores the acknowledgements, not durably: after a power cut messages are redelivered, which consumers must
   * tolerate.
   */
  async function storeAcknowledgements(current: Turn): Promise<void> {
    if (current.acknowledged.size === 0) return;
    const ids = [...current.acknowledged];
    const remove = ({ acknowledge }: Statements, life: number): void => {
      if (life === current.life) for (const id of ids) acknowledge.run(id);
    };
    await file.write(remove, { durable: false });
    for (const id of ids) current.acknowledged.delete(id);
  }

  async function end(): Promise<void> {
    unlisten();
    await working;
    if (turn && lock?.held()) {
      const ended = turn;
      turn = undefined;
      try {
        await storeAcknowledgements(ended);
        await file.write((statements, life) => {
          const newest = Math.max(ended.reached, ended.handedOver);
          if (life === ended.life) statements.consumption.run(0, newest, ended.queue);
        });
      } catch {
        // The trouble of the file has the reason. The next consumer takes this one for dead, so messages are redelivered.
      }
    }
    leave();
    wake.touch(sign);
  }

  return {
    trouble: () => trouble,
    close() {
      closing ??= end();
      return closing;
    },
  };
}
