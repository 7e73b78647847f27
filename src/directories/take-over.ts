import type { StoredEntry } from "../core/directory/entry.ts";
import { sameEntry } from "../core/directory/same-entry.ts";
import type { KnownEntry } from "../ports/directory.ts";

/**
 * The known entry if it equals the entry that was read, otherwise the entry that was read. Equal entries are thus held
 * in memory once.
 */
export function takeOver(entry: StoredEntry, known: KnownEntry | undefined): StoredEntry {
  const before = known?.(entry.uuid);
  return before && sameEntry(before, entry) ? before : entry;
}
