import { QueueFull } from "../../ports/broker.ts";
import type { BrokerFile } from "./file.ts";
import { type Statements, storedQueue } from "./schema.ts";

/** A message to store in the file. */
interface Outgoing {
  readonly key: string;
  readonly body: Uint8Array;
  readonly messageId: string | undefined;
}

interface Waiting {
  readonly message: Outgoing;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/** The most messages and bytes of one transaction, as other processes write too. Its last message may exceed the bytes. */
const batchMessages = 256;
const batchBytes = 4 * 1024 * 1024;

/**
 * Stores messages in the order of the calls; messages that wait together share a transaction. `wake` is called for each
 * queue that gets a message.
 */
export function publisher(file: BrokerFile, wake: (queue: string) => void) {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // publishes of this turn of the event loop share a transaction
    while (waiting.length > 0) await storeBatch(nextBatch(waiting));
    running = undefined;
  }

  async function storeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const { full, queues } = await file.write((statements) =>
        storeAll(
          statements,
          batch.map(({ message }) => message),
        ),
      );
      for (const queue of queues) wake(queue);
      for (const [index, { stored, failed }] of batch.entries()) {
        const queue = full.get(index);
        if (queue === undefined) stored();
        else failed(new QueueFull(queue));
      }
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }

  return {
    publish(key: string, body: Uint8Array | string, messageId: string | undefined): Promise<void> {
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body.slice();
      return new Promise((stored, failed) => {
        waiting.push({ message: { key, body: bytes, messageId }, stored, failed });
        running ??= run();
      });
    },
    /** Resolves when every published message is stored or refused. */
    async finished(): Promise<void> {
      await running;
    },
  };
}

function nextBatch(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  for (const { message } of waiting) {
    if (count === batchMessages || bytes > batchBytes) break;
    bytes += message.body.length;
    count++;
  }
  return waiting.splice(0, count);
}

/**
 * Stores messages, in a transaction. Returns the full queue of each refused message, and the queues that got messages.
 */
function storeAll(statements: Statements, messages: readonly Outgoing[]) {
  const full = new Map<number, string>();
  const queues = new Set<string>();
  for (const [index, { key, body, messageId }] of messages.entries()) {
    const bound = statements.bound.all(key).map(storedQueue);
    const refusing = bound.find((queue) => queue.refuses && overflows(queue, 1, body.length));
    if (refusing) {
      full.set(index, refusing.name);
      continue;
    }
    const now = Date.now();
    for (const queue of bound) {
      statements.store.run(queue.id, body.length, key, messageId ?? null, body, now);
      let after = { ...queue, messages: queue.messages + 1, bytes: queue.bytes + body.length };
      while (overflows(after, 0, 0) && statements.dropOldest.run(queue.id).changes === 1) {
        after = storedQueue(statements.queue.get(queue.name) ?? {});
      }
      queues.add(queue.name);
    }
  }
  return { full, queues };
}

const overflows = (queue: ReturnType<typeof storedQueue>, messages: number, bytes: number): boolean =>
  queue.messages + messages > queue.limitMessages || queue.bytes + bytes > queue.limitBytes;
