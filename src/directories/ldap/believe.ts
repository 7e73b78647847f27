import { attributeName } from "../../core/attributes.ts";
import { normalDn, parentOf } from "../../core/dn.ts";
import type { StoredEntry } from "../../core/entry.ts";
import { ReadAgain } from "./known.ts";
import type { Wanted } from "./sync-search.ts";
import { type Reader, who } from "./trouble.ts";

/** Thrown when a content cannot be the whole truth. */
export class Unbelievable extends Error {
  override name = "Unbelievable";
}

/**
 * Judges a whole content before anybody acts upon it. An access rule does not refuse what it hides: it makes the directory smaller.
 * What shows that something is hidden throws; what may only look like it gives a line for the log.
 */
export function believer(
  reader: Reader & Wanted,
  log: (line: string) => void,
): (entries: readonly StoredEntry[]) => void {
  let shown = new Map<string, number>(); // how many entries had each attribute the last time
  let orphans = 0;
  const rule = `slapd's "access" must let ${who(reader)} read`;

  return (entries) => {
    if (entries.length === 0) throw new Unbelievable(`${reader.base} has no entry at all: ${rule} what is below it`);
    const bare = entries.find(({ attributes }) => !attributes.has("objectclass"));
    if (bare) throw new Unbelievable(`${bare.dn} comes without its objectClass: ${rule} all of an entry`);
    if (reader.filter === undefined) {
      const orphan = orphanOf(entries, reader.base);
      orphans = orphan === undefined ? 0 : orphans + 1;
      // Once it can be a rename in the middle of a long read.
      if (orphans === 1) throw new ReadAgain(`what is above ${orphan} was not there`);
      if (orphans > 1) {
        throw new Unbelievable(
          `${orphan} comes without the entry above it: ${rule} that one, too, or set directory.filter`,
        );
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
      log(`the directory: no entry shows ${name} any more, ${count} did: if nobody meant that, ${rule} it`);
    }
    shown = now;
  };
}

/** An entry whose parent is not there, though it is not the base. */
function orphanOf(entries: readonly StoredEntry[], base: string): string | undefined {
  const written = new Set(entries.map(({ dn }) => dn.toLowerCase()));
  // As they are written, parents are found at once; only what is left is looked at as LDAP compares names.
  const left = entries.filter(({ dn }) => !written.has(dn.slice(dn.indexOf(",") + 1).toLowerCase()));
  if (left.length === 1 && left[0]?.dn.toLowerCase() === base.toLowerCase()) return undefined;
  const names = new Set(entries.map(({ dn }) => nameOf(dn)));
  const top = nameOf(base);
  return left.find(({ dn }) => {
    const name = nameOf(dn);
    return name !== top && !names.has(parentOf(name) ?? "");
  })?.dn;
}

function nameOf(dn: string): string {
  try {
    return normalDn(dn);
  } catch {
    return dn; // a name that cannot be read has no parent, which is said
  }
}

function countsOf(entries: readonly StoredEntry[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { attributes } of entries) {
    for (const name of attributes.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
