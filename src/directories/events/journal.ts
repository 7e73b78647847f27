import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Aside } from "../../ports/directory.ts";

/** The number of remembered hashes, by which repeated events are dropped: more than a queue holds. */
export const rememberedLimit = 100_000;

/** The most events that are stored whole, and their bytes. A seed applies them on top of a file. */
export const keptLimit = { events: 10_000, bytes: 64 * 1024 * 1024 };

/** The most messages that are set aside for a person, and the most bytes of each. The oldest are removed. */
export const asideLimit = { messages: 1_000, bytes: 64 * 1024 };

/** The record of events: the hashes, the newest events whole, and the messages that could not be applied. */
export interface Journal {
  /** Records an event; returns false if it is recorded already. */
  note(hash: string, body: Uint8Array, at: number): boolean;
  setAside(body: Uint8Array, why: string, at: number): void;
  /** Removes all records beyond the limits; returns the time of the newest event that was removed, if any. */
  prune(): number | undefined;
  /** The bodies of the events taken since a moment, in their order. */
  since(moment: number): Iterable<Uint8Array>;
  /** Removes the messages set aside up to a moment. */
  clearAside(moment: number): void;
  aside(): Aside;
}

/** Opens the journal of a database. Its methods run in the caller's transactions. */
export function journal(database: DatabaseSync): Journal {
  const hear = database.prepare("INSERT OR IGNORE INTO heard (hash) VALUES (?)");
  const keep = database.prepare(`
    INSERT INTO event (position, at, total, body)
    VALUES (?, ?, ? + coalesce((SELECT total FROM event ORDER BY position DESC LIMIT 1), 0), ?)`);
  const putAside = database.prepare("INSERT OR IGNORE INTO aside (hash, at, why, body) VALUES (?, ?, ?, ?)");
  const last = database.prepare("SELECT position, total FROM event ORDER BY position DESC LIMIT 1");
  const heaviest = database.prepare("SELECT max(position) AS position FROM event WHERE total <= ?");
  const newest = database.prepare("SELECT max(at) AS at FROM event WHERE position <= ?");
  const next = database.prepare(
    "SELECT position, body FROM event WHERE position > ? AND at >= ? ORDER BY position LIMIT 1",
  );

  return {
    note(hash, body, at) {
      const { changes, lastInsertRowid } = hear.run(sha256(hash));
      if (changes === 0) return false;
      keep.run(lastInsertRowid, at, body.length, body);
      return true;
    },
    setAside(body, why, at) {
      putAside.run(sha256(body), at, why, body.subarray(0, asideLimit.bytes));
      database
        .prepare("DELETE FROM aside WHERE position <= (SELECT max(position) FROM aside) - ?")
        .run(asideLimit.messages);
    },
    prune() {
      const end = last.get();
      if (!end) return undefined;
      const position = Number(end.position);
      database.prepare("DELETE FROM heard WHERE position <= ?").run(position - rememberedLimit);
      const heavy = Number(heaviest.get(Number(end.total) - keptLimit.bytes)?.position ?? 0);
      const cut = Math.max(heavy, position - keptLimit.events);
      const forgotten = newest.get(cut)?.at;
      if (typeof forgotten !== "number") return undefined;
      database.prepare("DELETE FROM event WHERE position <= ?").run(cut);
      return forgotten;
    },
    *since(moment) {
      // One by one: an open iterator would prevent checkpoints of SQLite's log.
      for (let row = next.get(-1, moment); row; row = next.get(Number(row.position), moment)) {
        yield row.body as Uint8Array;
      }
    },
    clearAside: (moment) => void database.prepare("DELETE FROM aside WHERE at <= ?").run(moment),
    aside() {
      const count = Number(database.prepare("SELECT count(*) AS messages FROM aside").get()?.messages);
      const row = database.prepare("SELECT at, why FROM aside ORDER BY position DESC LIMIT 1").get();
      return row ? { count, newest: { why: String(row.why), at: Number(row.at) } } : { count };
    },
  };
}

const sha256 = (text: string | Uint8Array): Uint8Array => createHash("sha256").update(text).digest();
