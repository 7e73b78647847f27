import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Unusable } from "../../sqlite/integrity.ts";
import { readSchema } from "../../sqlite/migrate.ts";

/**
 * The tables of the embedded broker, `broker.db`. A message that was handed over stays until it is acknowledged, and
 * counts towards the limit. Ids are never reused (AUTOINCREMENT), so a consumer can remember its position.
 */
export const brokerSchema = readSchema(new URL("migrations/", import.meta.url));

/** All SQL statements for the file. */
const statements = {
  addQueue: "INSERT OR IGNORE INTO queue (name, limit_messages, limit_bytes, beyond, lifetime) VALUES (?, ?, ?, ?, ?)",
  queue: "SELECT * FROM queue WHERE name = ?",
  bind: "INSERT OR IGNORE INTO binding (key, queue) VALUES (?, ?)",
  bound: "SELECT queue.* FROM binding JOIN queue ON queue.id = binding.queue WHERE binding.key = ? ORDER BY queue.id",
  store: "INSERT INTO message (queue, bytes, key, message_id, body, at) VALUES (?, ?, ?, ?, ?, ?)",
  dropOldest: "DELETE FROM message WHERE id = (SELECT id FROM message WHERE queue = ? ORDER BY id LIMIT 1)",
  next: "SELECT id, key, message_id, body, at FROM message WHERE queue = ? AND id > ? ORDER BY id LIMIT ?",
  newest: "SELECT coalesce(max(id), 0) AS id FROM message WHERE queue = ?",
  acknowledge: "DELETE FROM message WHERE id = ?",
  consumption: "UPDATE queue SET consumed = ?, handed_over = ? WHERE id = ?",
  removeMessages: "DELETE FROM message WHERE queue = ?",
  unbind: "DELETE FROM binding WHERE queue = ?",
  removeQueue: "DELETE FROM queue WHERE id = ?",
  recount: `UPDATE queue SET (messages, bytes) =
    (SELECT count(*), coalesce(sum(bytes), 0) FROM message WHERE queue = queue.id) WHERE id = ?`,
} as const;

export type Statements = { readonly [name in keyof typeof statements]: StatementSync };

/** Prepares all statements for an open database. */
export function prepareAll(database: DatabaseSync): Statements {
  const prepared = Object.entries(statements).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}

/** A queue as stored in the file. */
export interface StoredQueue {
  readonly id: number;
  readonly name: string;
  readonly limitMessages: number;
  readonly limitBytes: number;
  readonly refuses: boolean;
  /** In milliseconds; undefined for no limit. */
  readonly lifetime: number | undefined;
  readonly messages: number;
  readonly bytes: number;
  readonly consumed: boolean;
  readonly handedOver: number;
}

type Row = Record<string, unknown>;

export const storedQueue = (row: Row): StoredQueue => ({
  id: integer(row.id),
  name: text(row.name),
  limitMessages: integer(row.limit_messages),
  limitBytes: integer(row.limit_bytes),
  refuses: row.beyond === "refuse",
  lifetime: row.lifetime === null ? undefined : integer(row.lifetime),
  messages: integer(row.messages),
  bytes: integer(row.bytes),
  consumed: row.consumed === 1,
  handedOver: integer(row.handed_over),
});

/** A message as stored in the file. */
export interface StoredMessage {
  readonly id: number;
  readonly key: string;
  readonly messageId: string | undefined;
  readonly body: Uint8Array;
  /** The time of its storage, milliseconds since 1970. */
  readonly at: number;
}

export const storedMessage = (row: Row): StoredMessage => ({
  id: integer(row.id),
  key: text(row.key),
  messageId: row.message_id === null ? undefined : text(row.message_id),
  body: row.body instanceof Uint8Array ? row.body : unusable("bytes", row.body),
  at: integer(row.at),
});

export const integer = (value: unknown): number => (typeof value === "number" ? value : unusable("a number", value));
const text = (value: unknown): string => (typeof value === "string" ? value : unusable("a text", value));

function unusable(expected: string, value: unknown): never {
  throw new Unusable(`expected ${expected}, found ${String(value).slice(0, 40)}`);
}
