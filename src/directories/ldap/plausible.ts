import { attributeName } from "../../core/directory/attributes.ts";
import { normalDn, parentOf } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { ReadAgain } from "./read-again.ts";
import type { Wanted } from "./sync-search.ts";
import { type Reader, who } from "./trouble.ts";

/** The error of a content that cannot be whole. */
export class Implausible extends Error {
  override name = "Implausible";
}

/**
 * Judges a whole content before it is delivered. An access rule gives no error for hidden entries: the directory is
 * only smaller. Proof of hidden entries throws; a sign of them alone is logged.
 */
export function plausibility(
  reader: Reader & Wanted,
  log: (line: string) => void,
): (entries: readonly StoredEntry[]) => void {
  let shown = new Map<string, number>(); // the number of entries with each attribute at the last reading
  let missing: ReadonlyMap<string, string> = new Map(); // missing parents at the last reading
  const rule = `slapd's "access" must let ${who(reader)} read`;

  return (entries) => {
    if (entries.length === 0) throw new Implausible(`${reader.base} has no entry at all: ${rule} the entries below it`);
    const bare = entries.find(({ attributes }) => !attributes.has("objectclass"));
    if (bare) throw new Implausible(`${bare.dn} comes without its objectClass: ${rule} whole entries`);
    if (reader.filter === undefined) {
      const before = missing;
      missing = missingParents(entries, reader.base);
      for (const [name, below] of missing) {
        if (!before.has(name)) continue;
        throw new Implausible(
          `${below} comes without the entry above it: ${rule} that entry, too, or set directory.filter`,
        );
      }
      for (const below of missing.values()) {
        throw new ReadAgain(`an entry above ${below} was renamed while it was read, or is hidden`);
      }
    }
    const now = countsOf(entries);
    for (const name of reader.attributes ?? []) {
      if (/^[*+@]/.test(name) || now.has(attributeName(name)) || (shown.size > 0 && !shown.has(attributeName(name))))
        continue;
      log(`the directory: no entry shows ${name}: is it spelled right, and may ${who(reader)} read it?`);
    }
    for (const [name, count] of shown) {
      if (now.has(name) || count < 2) continue;
      log(`the directory: no entry shows ${name} any more, ${count} did: unless you want that, ${rule} it`);
    }
    shown = now;
  };
}

/** The names of missing parents, except for those above the base, each with an entry below it. */
function missingParents(entries: readonly StoredEntry[], base: string): ReadonlyMap<string, string> {
  const written = new Set(entries.map(({ dn }) => dn.toLowerCase()));
  // Most parents are found by their written names. Only the rest is compared by normal names.
  const left = entries.filter(({ dn }) => !written.has(dn.slice(dn.indexOf(",") + 1).toLowerCase()));
  const missing = new Map<string, string>();
  if (left.length === 1 && left[0]?.dn.toLowerCase() === base.toLowerCase()) return missing;
  const names = new Set(entries.map(({ dn }) => nameOf(dn)));
  const top = nameOf(base);
  for (const { dn } of left) {
    const name = nameOf(dn);
    const parent = parentOf(name) ?? "";
    if (name !== top && !names.has(parent)) missing.set(parent, dn);
  }
  return missing;
}

function nameOf(dn: string): string {
  try {
    return normalDn(dn);
  } catch {
    return dn; // a malformed name has no parent, which is reported
  }
}

function countsOf(entries: readonly StoredEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { attributes } of entries) {
    for (const name of attributes.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
