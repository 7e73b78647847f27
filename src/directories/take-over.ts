import type { StoredEntry } from "../core/directory/entry.ts";
import { sameEntry } from "../core/directory/same-entry.ts";
import type { Held } from "../ports/directory.ts";

/**
 * The held entry if it says the same as the entry that was read, which then becomes garbage.
 * The entry that was read otherwise.
 */
export function takeOver(entry: StoredEntry, held: Held | undefined): StoredEntry {
  const before = held?.(entry.uuid);
  return before && sameEntry(before, entry) ? before : entry;
}
