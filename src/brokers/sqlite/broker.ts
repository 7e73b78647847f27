import { join } from "node:path";
import { type Broker, type Consumer, type Queue, QueueInUse } from "../../ports/broker.ts";
import { type Lock, takeLock } from "../../sqlite/lock.ts";
import { startCandidate } from "./candidate.ts";
import { startConsumer } from "./consume.ts";
import { checkLimit, declareQueues, removeQueues } from "./declare.ts";
import { brokerFile } from "./file.ts";
import { publisher } from "./publish.ts";
import { fileName, openWake } from "./wake.ts";

interface Options {
  /** Takes a line for an operator at each fault. */
  readonly log: (line: string) => void;
  /** The interval of polling for missed wake-ups, in milliseconds. */
  readonly checkEvery?: number;
  /** The time after which a call throws if other writers keep the file locked, in milliseconds. */
  readonly busyLimit?: number;
}

/**
 * The broker of one machine: one SQLite file on a local disk, for any number of processes of one user. Only that user
 * can open the files. The directory `FILE.d` beside the file has a lock for each consumer and candidate, and a file to
 * touch for each queue.
 */
export async function sqliteBroker(
  file: string,
  { log, checkEvery = 1_000, busyLimit = 10_000 }: Options,
): Promise<Broker> {
  const directory = `${file}.d`;
  const lockOf = (name: string): string => join(directory, `${fileName(name)}.lock`);
  const declared = new Map<string, Queue>();
  const parts = new Set<Consumer & { trouble(): string | undefined }>();
  let closing: Promise<void> | undefined;

  const queues = brokerFile(file, {
    lockFile: lockOf("file"),
    log,
    begin: (statements) => declareQueues(statements, declared.values()),
    busyLimit,
  });
  await queues.read(() => {});
  let checking = false;
  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      await queues.check();
    } catch {
      // The error is in trouble() and in the log.
    } finally {
      checking = false;
    }
  };
  const wake = openWake(directory, { every: checkEvery, check: () => void check() });
  const { publish, finished } = publisher(queues, (queue) => wake.touch(signOf(queue)));

  const live = (): void => {
    if (closing) throw new Error(`the broker of ${file} is closed`);
  };
  const keep = (part: Consumer & { trouble(): string | undefined }): Consumer => {
    parts.add(part);
    return {
      async close() {
        await part.close();
        parts.delete(part);
      },
    };
  };

  async function close(): Promise<void> {
    await Promise.all([finished(), ...[...parts].map((part) => part.close())]);
    wake.close();
    queues.close();
  }

  return {
    async declare(wanted) {
      live();
      for (const queue of wanted) checkLimit(queue);
      const differing = await queues.write((statements) => declareQueues(statements, wanted));
      for (const line of differing) log(line);
      for (const queue of wanted)
        declared.set(queue.name, { ...queue, keys: mergeKeys(declared.get(queue.name), queue) });
    },

    async publish(key, body, { messageId } = {}) {
      live();
      await publish(key, body, messageId);
    },

    async consume(name, take, { prefetch }) {
      live();
      const known = await queues.read(({ queue }) => queue.get(name) !== undefined);
      if (!known) throw new Error(`queue ${name} cannot be consumed: it is not there`);
      live();
      const sign = signOf(name);
      return keep(startConsumer(name, take, { file: queues, wake, sign, lockFile: lockOf(sign), prefetch, log }));
    },

    async campaign(name, changed) {
      live();
      const sign = `election-${name}`;
      return keep(startCandidate(name, changed, { wake, sign, lockFile: lockOf(sign) }));
    },

    async remove(names) {
      live();
      const locks: Lock[] = [];
      try {
        for (const name of names) {
          const known = await queues.read(({ queue }) => queue.get(name) !== undefined);
          const lock = known ? takeLock(lockOf(signOf(name))) : undefined;
          if (known && !lock) throw new QueueInUse(name);
          if (lock) locks.push(lock);
        }
        const removed = await queues.write((statements) => removeQueues(statements, names));
        for (const name of removed) declared.delete(name);
        return removed;
      } finally {
        for (const lock of locks) lock.release();
      }
    },

    trouble() {
      const said = new Set([queues, wake, ...parts].map((part) => part.trouble()));
      said.delete(undefined);
      return said.size > 0 ? [...said].join("; ") : undefined;
    },

    close() {
      closing ??= close();
      return closing;
    },
  };
}

const mergeKeys = (before: Queue | undefined, now: Queue): string[] => [
  ...new Set([...(before?.keys ?? []), ...now.keys]),
];

const signOf = (queue: string): string => `queue-${queue}`;
