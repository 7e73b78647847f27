import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import {
  type AnswerMessage,
  type OrderMessage,
  type Outcome,
  orderIdOf,
  orderMessage,
  outcome,
  ways,
} from "../../core/stream/order.ts";
import { prepared } from "./prepared.ts";
import { readJson } from "./read-json.ts";

/** The most orders to one host that are kept of each user of the broker, the newest. A host refuses an older order. */
export const auditLimit = 1000;

/** The lead of another machine's clock that is plausible, in milliseconds: one day. */
const plausibleLead = 24 * 3_600_000;

/** An order to one host, with the answer if there is one. Times are of this machine, in milliseconds since 1970. */
export interface AuditEntry {
  readonly host: string;
  /** The order; of its `hosts` only this one is kept. */
  readonly order: OrderMessage;
  /** The user of the broker that sent the order; undefined if it is not known, or the order came by the socket. */
  readonly user: string | undefined;
  readonly way: AnswerMessage["way"];
  /** The time at which this machine stored the order. */
  readonly at: number;
  readonly outcome: Outcome | undefined;
  readonly answered: number | undefined;
}

/** The orders of persons with their answers. */
export interface Audit {
  /** Keeps an order to hosts that have not answered; changes nothing of known ones. */
  ask(order: OrderMessage, user: string | undefined, now: number): void;
  /** Keeps the answer of a host, the first one alone; with `unsent`, transcribers still have to be told. */
  answer(entry: Omit<AuditEntry, "answered">, options?: { readonly unsent?: boolean }): void;
  /** The order of an id to a host, with its answer. */
  find(id: string, host: string): AuditEntry | undefined;
  /** The order of an id to each host that this store knows of. */
  ofOrder(id: string): AuditEntry[];
  /** True if a thousand kept orders of a host are newer, so that the answer to this one may be forgotten. */
  isForgotten(id: string, host: string, now: number): boolean;
  /** True if the id was made more than a day later than now. No clock is so wrong; the id would outlast later ones. */
  isOfFuture(id: string, now: number): boolean;
  /** All orders that are kept, the newest first. */
  newest(): AuditEntry[];
  /** The answers of a host that no transcriber has yet, the oldest first. */
  unsent(host: string): AuditEntry[];
  /** Notes that the transcribers have the answer. */
  sent(id: string, host: string): void;
}

/** Opens the orders of a store. */
export function auditOf(database: DatabaseSync): Audit {
  const entries = (text: string, ...values: (string | number)[]): AuditEntry[] =>
    prepared(database, text)
      .all(...values)
      .flatMap((row) => entryOf(row) ?? []);

  /** Users do not crowd each other out. The ids of the future go first: they would outlast every real one. */
  function forgetOld(host: string, user: string | null, now: number): void {
    const text = `DELETE FROM audit WHERE host = ? AND id IN
      (SELECT id FROM audit WHERE host = ? AND user IS ? ORDER BY id < ? DESC, id DESC LIMIT -1 OFFSET ?)`;
    prepared(database, text).run(host, host, user, futureId(now), auditLimit);
  }

  return {
    ask(order, user, now) {
      const text = "INSERT OR IGNORE INTO audit (id, host, body, user, way, at) VALUES (?, ?, ?, ?, 'broker', ?)";
      for (const host of order.hosts) {
        prepared(database, text).run(order.id, host, bodyOf(order, host), user ?? null, now);
        forgetOld(host, user ?? null, now);
      }
    },
    answer({ host, order, user, way, at, outcome }, { unsent = false } = {}) {
      const text = `INSERT INTO audit (id, host, body, user, way, at, outcome, answered, unsent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, host) DO UPDATE SET outcome = excluded.outcome,
        answered = excluded.answered, unsent = excluded.unsent WHERE outcome IS NULL`;
      const said = JSON.stringify(outcome ?? null);
      const values = [order.id, host, bodyOf(order, host), user ?? null, way, at, said, at, Number(unsent)];
      prepared(database, text).run(...values);
      forgetOld(host, user ?? null, at);
    },
    find: (id, host) => entries("SELECT * FROM audit WHERE id = ? AND host = ?", id, host)[0],
    ofOrder: (id) => entries("SELECT * FROM audit WHERE id = ? ORDER BY host", id),
    isForgotten(id, host, now) {
      const text = "SELECT id FROM audit WHERE host = ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?";
      const { id: oldest } = prepared(database, text).get(host, futureId(now), auditLimit - 1) ?? {};
      return oldest !== undefined && id < String(oldest);
    },
    isOfFuture: (id, now) => id >= futureId(now),
    newest: () => entries("SELECT * FROM audit ORDER BY id DESC, host"),
    unsent: (host) => entries("SELECT * FROM audit WHERE host = ? AND unsent = 1 ORDER BY id", host),
    sent(id, host) {
      prepared(database, "UPDATE audit SET unsent = 0 WHERE id = ? AND host = ?").run(id, host);
    },
  };
}

/** The first id that is implausible now: no order has it yet. */
const futureId = (now: number): string => orderIdOf(now + plausibleLead, new Uint8Array(10));

/** The order as one host has it. The names of ten thousand others would be stored ten thousand times. */
const bodyOf = (order: OrderMessage, host: string): string => JSON.stringify({ ...order, hosts: [host] });

const stored = z.object({
  host: z.string(),
  user: z.string().nullable(),
  way: z.enum(ways),
  at: z.number(),
  answered: z.number().nullable(),
});

/** The entry of a row; undefined for one of a damaged file, or of a program with other orders. */
function entryOf(row: Readonly<Record<string, unknown>>): AuditEntry | undefined {
  const read = stored.safeParse(row);
  const order = readJson(orderMessage, row.body);
  if (!read.success || !order) return undefined;
  const { user, answered, ...rest } = read.data;
  return {
    ...{ ...rest, order, user: user ?? undefined, answered: answered ?? undefined },
    outcome: readJson(outcome, row.outcome),
  };
}
