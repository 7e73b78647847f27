import type { Attributes, StoredEntry, Value } from "./entry.ts";

/** True if two states of an entry are identical: the DN as written, and the values in their order. */
export function sameEntry(a: StoredEntry, b: StoredEntry): boolean {
  if (a === b) return true;
  return a.dn === b.dn && (a.attributes === b.attributes || sameAttributes(a.attributes, b.attributes));
}

function sameAttributes(a: Attributes, b: Attributes): boolean {
  if (a.size !== b.size) return false;
  for (const [name, values] of a) {
    const others = b.get(name);
    if (values.length !== others?.length || !values.every((value, index) => sameValue(value, others[index])))
      return false;
  }
  return true;
}

const sameValue = (a: Value, b: Value | undefined): boolean =>
  a === b || (typeof a !== "string" && b !== undefined && typeof b !== "string" && Buffer.compare(a, b) === 0);
