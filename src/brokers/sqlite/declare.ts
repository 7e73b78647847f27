import type { Limit, Queue } from "../../ports/broker.ts";
import { type Statements, storedQueue } from "./schema.ts";

/** Makes sure that queues and bindings exist, in a transaction; gives a line for each queue whose limit is another one. */
export function declareQueues(statements: Statements, queues: Iterable<Queue>): string[] {
  const differing: string[] = [];
  for (const { name, keys, limit } of queues) {
    statements.addQueue.run(name, limit.messages, limit.bytes, limit.beyond);
    const stored = storedQueue(statements.queue.get(name) ?? {});
    for (const key of keys) statements.bind.run(key, stored.id);
    const found = said({
      messages: stored.limitMessages,
      bytes: stored.limitBytes,
      beyond: stored.refuses ? "refuse" : "drop",
    });
    if (found !== said(limit)) differing.push(`queue ${name} exists with ${found}, not ${said(limit)}: used as it is`);
  }
  return differing;
}

/** Removes queues with their bindings and messages, in a transaction; gives those that there were. */
export function removeQueues(statements: Statements, names: readonly string[]): string[] {
  return names.filter((name) => {
    const row = statements.queue.get(name);
    if (!row) return false;
    const { id } = storedQueue(row);
    for (const remove of [statements.removeMessages, statements.unbind, statements.removeQueue]) remove.run(id);
    return true;
  });
}

/** A limit that the file can hold; anything else is a mistake of the caller. */
export function checkLimit({ name, limit }: Queue): void {
  for (const what of ["messages", "bytes"] as const) {
    if (!Number.isSafeInteger(limit[what]) || limit[what] < 0) {
      throw new RangeError(`queue ${name}: its limit of ${what} must be a whole number, not ${limit[what]}`);
    }
  }
}

const said = ({ messages, bytes, beyond }: Limit): string =>
  `a limit of ${messages} messages, ${bytes} bytes (${beyond})`;
