import type { DatabaseSync } from "node:sqlite";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { readEvent } from "../../core/directory/event.ts";
import { transaction } from "../../sqlite/open.ts";
import { csnAfter } from "../csn.ts";
import { storedContent } from "./content.ts";
import { journal } from "./journal.ts";
import { writeStanding } from "./schema.ts";
import { applyOrSetAside, standing } from "./take.ts";

/**
 * The margin before the date of an export, in milliseconds. It covers the duration of the export and differences of
 * clocks. To apply an event twice is harmless.
 */
export const exportMargin = 3_600_000;

export interface Seeded {
  /** The number of entries now. */
  readonly entries: number;
  /** The number of events since the export that were applied on top of it. */
  readonly applied: number;
  /** The time of the export, in milliseconds since 1970. */
  readonly exported: number;
  /**
   * The time since which all events are stored, in milliseconds since 1970. Changes between the export and then may be
   * missing.
   */
  readonly keptSince: number;
}

/**
 * Makes entries, exported at a moment, the whole content, in one transaction. Events taken since that moment, and in
 * the hour before it, are then applied once more in their order. The directory is complete from then on, and messages
 * set aside before the export are removed.
 */
export function seed(database: DatabaseSync, entries: Iterable<StoredEntry>, exported: number, now: number): Seeded {
  const store = { database, content: storedContent(database), journal: journal(database) };
  return transaction(database, () => {
    const { state, keptSince } = standing(store);
    store.content.replace(entries);
    store.journal.clearAside(exported);
    let applied = 0;
    for (const body of store.journal.since(exported - exportMargin)) {
      applyOrSetAside(store, readEvent(JSON.parse(Buffer.from(body).toString())), body, now);
      applied += 1;
    }
    writeStanding(database, { state: csnAfter(state, now), complete: true, keptSince });
    const found = database.prepare("SELECT count(*) AS entries FROM entry").get();
    return { entries: Number(found?.entries), applied, exported, keptSince };
  });
}
