import { exactDn, rdnTexts } from "../../core/directory/dn.ts";
import type { Schema } from "../../core/directory/schema.ts";
import { olderFirst } from "./age.ts";
import type { MirrorEntry } from "./mirror-entry.ts";

/**
 * Namesakes: entries whose DNs have one normal form here but are two names at their server, whose schema is unknown.
 * None replaces another. Each is found by its DN in its own spelling; the oldest answers for any other spelling, as it
 * did before it had a namesake.
 */
export interface Namesakes {
  /** The entries, the oldest first. */
  readonly entries: readonly MirrorEntry[];
  /** The entry that a DN of their common normal form names. */
  named(written: string): MirrorEntry | undefined;
}

/** The entries of one normal DN, found by their spelling. */
export function namesakesOf(bearers: readonly MirrorEntry[], schema: Schema): Namesakes {
  const entries = [...bearers].sort(olderFirst);
  const [oldest] = entries;
  if (entries.length < 2) return { entries, named: () => oldest };
  const bySpelling = firstBy(entries, ({ dn }) => dn);
  const byExactName = firstBy(entries, ({ dn }) => exactDn(dn, schema));
  return {
    entries,
    named: (written) => bySpelling.get(written) ?? byExactName.get(exactDn(written, schema)) ?? oldest,
  };
}

function firstBy(entries: readonly MirrorEntry[], keyOf: (entry: MirrorEntry) => string): Map<string, MirrorEntry> {
  const found = new Map<string, MirrorEntry>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (!found.has(key)) found.set(key, entry);
  }
  return found;
}

/** The DN of an entry's parent, as the entry's own DN spells it. */
export const parentAsWritten = (dn: string): string => rdnTexts(dn).slice(1).join(",");

/** The entries of those below a name whose parent is this one of the namesakes. */
export function childrenOf(
  parent: MirrorEntry | undefined,
  namesakes: Namesakes,
  below: readonly MirrorEntry[],
): readonly MirrorEntry[] {
  if (namesakes.entries.length < 2) return below;
  return below.filter(({ dn }) => namesakes.named(parentAsWritten(dn)) === parent);
}
