import type { StoredEntry } from "../core/entry.ts";
import { sameEntry } from "../core/same-entry.ts";
import type { Held } from "../ports/directory.ts";

/** The entry that is held already where it says the same as the one that was read, which is then garbage; the one that was read otherwise. */
export function takeOver(entry: StoredEntry, held: Held | undefined): StoredEntry {
  const before = held?.(entry.uuid);
  return before && sameEntry(before, entry) ? before : entry;
}
