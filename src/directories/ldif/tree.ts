import { normalDn, parentOf } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";

/** Changeable entries by normal DN. */
export interface Tree {
  readonly entries: ReadonlyMap<string, StoredEntry>;
  put(dn: string, entry: StoredEntry): void;
  remove(dn: string): void;
  hasBelow(dn: string): boolean;
}

export function treeOf(initial: Iterable<StoredEntry>): Tree {
  const entries = new Map<string, StoredEntry>();
  const below = new Map<string, number>();
  const count = (dn: string, more: number): void => {
    for (let above = parentOf(dn); above !== undefined; above = parentOf(above)) {
      below.set(above, (below.get(above) ?? 0) + more);
    }
  };
  const put = (dn: string, entry: StoredEntry): void => {
    if (!entries.has(dn)) count(dn, 1);
    entries.set(dn, entry);
  };
  const remove = (dn: string): void => {
    if (entries.delete(dn)) count(dn, -1);
  };
  for (const entry of initial) put(normalDn(entry.dn), entry);
  return { entries, put, remove, hasBelow: (dn) => (below.get(dn) ?? 0) > 0 };
}
