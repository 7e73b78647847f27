import { distinctDn, normalDn, parentOf, readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Schema } from "../../core/directory/schema.ts";

/** Changeable entries by the keys of their DNs. Two entries that may have one name are two. */
export interface Tree {
  readonly entries: ReadonlyMap<string, StoredEntry>;
  /** The key of the entry that a DN names: of that with this value, or else of the first that it may name. */
  keyOf(dn: string): string;
  /** The key of a DN for an entry of its own, whatever other entries it may name. */
  ownKeyOf(dn: string): string;
  put(key: string, entry: StoredEntry): void;
  remove(key: string): void;
  hasBelow(key: string): boolean;
}

/**
 * Makes a tree of entries. By the schema of a server each name has one form; without one, names are apart if they may be
 * at some server.
 */
export function treeOf(initial: Iterable<StoredEntry>, schema?: Schema): Tree {
  const distinctOf = schema === undefined ? distinctDn : (dn: string): string => normalDn(dn, schema);
  const entries = new Map<string, StoredEntry>();
  /** The keys that are no normal DN, by their normal DN. */
  const others = new Map<string, Set<string>>();
  const below = new Map<string, number>();
  const count = (key: string, more: number): void => {
    for (let above = parentOf(key); above !== undefined; above = parentOf(above)) {
      below.set(above, (below.get(above) ?? 0) + more);
    }
  };
  const note = (key: string, change: (keys: Set<string>) => void): void => {
    const normal = readDn(key, schema) ?? key;
    if (normal === key) return;
    const keys = others.get(normal) ?? new Set();
    change(keys);
    if (keys.size > 0) others.set(normal, keys);
    else others.delete(normal);
  };
  const put = (key: string, entry: StoredEntry): void => {
    if (!entries.has(key)) {
      count(key, 1);
      note(key, (keys) => keys.add(key));
    }
    entries.set(key, entry);
  };
  const remove = (key: string): void => {
    if (!entries.delete(key)) return;
    count(key, -1);
    note(key, (keys) => keys.delete(key));
  };
  const find = (distinct: string): string => {
    if (entries.has(distinct)) return distinct;
    const placed = place(distinct);
    if (entries.has(placed)) return placed;
    const normal = readDn(distinct, schema) ?? distinct;
    if (entries.has(normal)) return normal;
    const [known = placed] = others.get(normal) ?? [];
    return known;
  };
  /** The key of a name of its own, below its parent's. */
  const place = (distinct: string): string => {
    const parent = parentOf(distinct);
    return parent ? `${distinct.slice(0, -parent.length)}${find(parent)}` : distinct;
  };
  for (const entry of initial) put(place(distinctOf(entry.dn)), entry);
  return {
    entries,
    keyOf: (dn) => find(distinctOf(dn)),
    ownKeyOf: (dn) => place(distinctOf(dn)),
    put,
    remove,
    hasBelow: (key) => (below.get(key) ?? 0) > 0,
  };
}
