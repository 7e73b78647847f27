import type { DatabaseSync } from "node:sqlite";
import type { DirectoryEvent } from "../../core/directory/event.ts";
import { reason } from "../../core/util/errors.ts";
import type { EventMessage } from "../../ports/directory.ts";
import { sqliteCode } from "../../sqlite/open.ts";
import { csnAfter } from "../csn.ts";
import type { Content } from "./content.ts";
import type { Journal } from "./journal.ts";
import { readStanding, type Standing, writeStanding } from "./schema.ts";

/** The parts on disk of a directory made of events. */
export interface Store {
  readonly database: DatabaseSync;
  readonly content: Content;
  readonly journal: Journal;
}

/** The row about the directory itself. Throws if its tables are missing. */
export function standing({ database }: Store): Standing {
  const found = readStanding(database);
  if (!found) throw new Error("the directory made of events has no tables");
  return found;
}

/** Applies messages in order, in the caller's transaction. While the directory is partial they are only recorded. */
export function takeAll(store: Store, messages: readonly EventMessage[], now: number): void {
  const { database, journal } = store;
  const before = standing(store);
  let taken = false;
  for (const message of messages) {
    if ("wrong" in message) journal.setAside(message.body, message.wrong, now);
    else if (journal.note(message.event.hash, message.body, now)) {
      taken = true;
      if (before.complete) applyOrSetAside(store, message.event, message.body, now);
    }
  }
  const forgotten = journal.prune();
  const keptSince = forgotten === undefined ? before.keptSince : Math.max(before.keptSince, forgotten + 1);
  if (taken) writeStanding(database, { ...before, state: csnAfter(before.state, now), keptSince });
}

/** Applies an event. One that cannot be applied is set aside, so that it does not block later ones. */
export function applyOrSetAside(
  { content, journal }: Store,
  event: DirectoryEvent,
  body: Uint8Array,
  now: number,
): void {
  try {
    content.apply(event);
  } catch (error) {
    if (sqliteCode(error) !== undefined) throw error;
    journal.setAside(body, reason(error), now);
  }
}
