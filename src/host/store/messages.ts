import type { DatabaseSync } from "node:sqlite";
import { prepared } from "./prepared.ts";

/** The plain messages that wait on a host's disk, in order, and those that are parked for a person. */

/** The most waiting messages: at this number a host stops accepting plain messages from the broker. */
export const waitingLimit = 1000;

/**
 * The most parked messages that were tried. At that limit the queue waits, and at its own limit it refuses its
 * publishers; no accepted message is lost. Of the unreadable messages the newest ones are kept, in the same number.
 */
export const parkedLimit = 1000;

/** The number of remembered ids of a service, so that a message with an id is handled once. */
export const rememberedLimit = 10_000;

/** The most bytes kept of an unreadable parked message. */
const bodyLimit = 1024 * 1024;

export interface StoredMessage {
  readonly id: number;
  readonly messageId: string | undefined;
  readonly body: Uint8Array;
  readonly attempts: number;
}

export interface StoredMessages {
  /** Stores a message to be handled; one whose id was seen is dropped. In the caller's transaction. */
  store(body: Uint8Array, messageId: string | undefined, now: number): void;
  /** Parks a message that cannot be handled as it is. In the caller's transaction. */
  setAside(body: Uint8Array, messageId: string | undefined, why: string, now: number): void;
  waiting(): number;
  parked(): number;
  /**
   * True if a message that was tried may be parked. Messages that were set aside unread, from any sender, take no room
   * from those.
   */
  roomToPark(): boolean;
  next(): StoredMessage | undefined;
  /** Removes a message that was handled; in the caller's transaction. */
  done(message: StoredMessage): void;
  failed(message: StoredMessage, why: string): void;
  park(message: StoredMessage, why: string): void;
  /** Puts parked messages back into the queue, in their order. */
  retry(): number;
  /** Deletes parked messages, all of them or one. Returns their number. */
  drop(id?: number): number;
  /** The first parked messages, for status. */
  listParked(limit: number): { id: number; why: string; since: number }[];
}

export function storedMessages(database: DatabaseSync, service: string): StoredMessages {
  const counted = (state: string): number => {
    const text = "SELECT count(*) AS messages FROM message WHERE service = ? AND state = ?";
    return Number(prepared(database, text).get(service, state)?.messages ?? 0);
  };
  const insert = (...values: (string | number | null | Uint8Array)[]): void => {
    const text = "INSERT INTO message (service, message_id, body, state, why, at) VALUES (?, ?, ?, ?, ?, ?)";
    prepared(database, text).run(service, ...values);
  };
  const update = (...values: (string | number)[]): void =>
    void prepared(database, "UPDATE message SET state = ?, attempts = ?, why = ? WHERE id = ?").run(...values);

  function seen(messageId: string): boolean {
    const waits = prepared(database, "SELECT 1 FROM message WHERE service = ? AND message_id = ?").get(
      service,
      messageId,
    );
    const was = prepared(database, "SELECT 1 FROM handled WHERE service = ? AND message_id = ?").get(
      service,
      messageId,
    );
    return waits !== undefined || was !== undefined;
  }

  return {
    store(body, messageId, now) {
      if (messageId !== undefined && seen(messageId)) return;
      insert(messageId ?? null, body, "waiting", null, now);
    },
    setAside(body, messageId, why, now) {
      if (messageId !== undefined && seen(messageId)) return;
      const cut = body.length > bodyLimit;
      const said = cut ? `${why} (${body.length} bytes, the first ${bodyLimit} are kept)` : why;
      insert(messageId ?? null, cut ? body.subarray(0, bodyLimit) : body, "parked", said, now);
      // Unreadable messages must not fill the disk: the oldest one is dropped first.
      prepared(
        database,
        `DELETE FROM message WHERE id IN (SELECT id FROM message WHERE service = ? AND state = 'parked' AND attempts = 0
           ORDER BY id DESC LIMIT -1 OFFSET ?)`,
      ).run(service, parkedLimit);
    },
    waiting: () => counted("waiting"),
    parked: () => counted("parked"),
    roomToPark() {
      const tried = "SELECT count(*) AS messages FROM message WHERE service = ? AND state = 'parked' AND attempts > 0";
      return Number(prepared(database, tried).get(service)?.messages) < parkedLimit;
    },
    next() {
      const found = prepared(
        database,
        "SELECT * FROM message WHERE service = ? AND state = 'waiting' ORDER BY id LIMIT 1",
      ).get(service);
      if (!found) return undefined;
      return {
        id: Number(found.id),
        messageId: typeof found.message_id === "string" ? found.message_id : undefined,
        body: found.body as Uint8Array,
        attempts: Number(found.attempts),
      };
    },
    done({ id, messageId }) {
      prepared(database, "DELETE FROM message WHERE id = ?").run(id);
      if (messageId === undefined) return;
      prepared(database, "INSERT OR IGNORE INTO handled (service, message_id) VALUES (?, ?)").run(service, messageId);
      prepared(
        database,
        `DELETE FROM handled WHERE service = ? AND position <=
           (SELECT position FROM handled WHERE service = ? ORDER BY position DESC LIMIT 1 OFFSET ?)`,
      ).run(service, service, rememberedLimit);
    },
    failed: ({ id, attempts }, why) => update("waiting", attempts + 1, why, id),
    park: ({ id, attempts }, why) => update("parked", attempts + 1, why, id),
    retry: () =>
      Number(
        prepared(
          database,
          "UPDATE message SET state = 'waiting', attempts = 0 WHERE service = ? AND state = 'parked'",
        ).run(service).changes,
      ),
    drop: (id) =>
      Number(
        prepared(database, "DELETE FROM message WHERE service = ? AND state = 'parked' AND (? IS NULL OR id = ?)").run(
          service,
          id ?? null,
          id ?? null,
        ).changes,
      ),
    listParked: (limit) =>
      prepared(database, "SELECT id, why, at FROM message WHERE service = ? AND state = 'parked' ORDER BY id LIMIT ?")
        .all(service, limit)
        .map(({ id, why, at }) => ({ id: Number(id), why: String(why), since: Number(at) })),
  };
}
