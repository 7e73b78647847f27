import type { StoredEntry } from "../core/directory/entry.ts";
import { sameEntry } from "../core/directory/same-entry.ts";
import type { Held } from "../ports/directory.ts";

/**
 * The held entry if it equals the entry that was read, otherwise the entry that was read. Equal entries are thus held
 * in memory once.
 */
export function takeOver(entry: StoredEntry, held: Held | undefined): StoredEntry {
  const before = held?.(entry.uuid);
  return before && sameEntry(before, entry) ? before : entry;
}
