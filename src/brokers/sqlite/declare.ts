import type { Limit, Queue } from "../../ports/broker.ts";
import { type Statements, storedQueue } from "./schema.ts";

/** Adds missing queues and bindings, in a transaction; returns a line for each queue that exists with another limit. */
export function declareQueues(statements: Statements, queues: Iterable<Queue>): string[] {
  const differing: string[] = [];
  for (const { name, keys, limit } of queues) {
    statements.addQueue.run(name, limit.messages, limit.bytes, limit.beyond, limit.lifetime ?? null);
    const stored = storedQueue(statements.queue.get(name) ?? {});
    for (const key of keys) statements.bind.run(key, stored.id);
    const found = said({
      messages: stored.limitMessages,
      bytes: stored.limitBytes,
      beyond: stored.refuses ? "refuse" : "drop",
      ...(stored.lifetime !== undefined && { lifetime: stored.lifetime }),
    });
    if (found !== said(limit))
      differing.push(`queue ${name} exists with ${found}, not ${said(limit)}, and keeps that until it is removed`);
  }
  return differing;
}

/** Removes queues with their bindings and messages, in a transaction; returns the names of those that existed. */
export function removeQueues(statements: Statements, names: readonly string[]): string[] {
  return names.filter((name) => {
    const row = statements.queue.get(name);
    if (!row) return false;
    const { id } = storedQueue(row);
    for (const remove of [statements.removeMessages, statements.unbind, statements.removeQueue]) remove.run(id);
    return true;
  });
}

/** Checks that the file can hold a limit; throws a `RangeError` otherwise. */
export function checkLimit({ name, limit }: Queue): void {
  for (const what of ["messages", "bytes"] as const) {
    if (!Number.isSafeInteger(limit[what]) || limit[what] < 0) {
      throw new RangeError(`queue ${name}: its limit of ${what} must be a whole number, not ${limit[what]}`);
    }
  }
}

const said = ({ messages, bytes, beyond, lifetime }: Limit): string =>
  `a limit of ${messages} messages, ${bytes} bytes (${beyond})${lifetime === undefined ? "" : `, ${lifetime / 1000} s`}`;
