import { rdnTexts } from "../../core/directory/dn.ts";
import { Refusal } from "../../core/util/errors.ts";
import { shownLine } from "../../core/util/shown.ts";
import type { MirrorEntry } from "./mirror-entry.ts";

/**
 * Namesakes: entries whose DNs have one normal form here but are two names at their server, whose schema may fold less.
 * None replaces another. Each is found by its DN in its own spelling, and by no other spelling.
 */

/** The namesake that a DN names. Throws a `Refusal` that lists all of them if its spelling fits none. */
export function resolveNamesake(bearers: readonly MirrorEntry[], written: string): MirrorEntry | undefined {
  if (bearers.length < 2) return bearers[0];
  const exact = bearers.filter(({ dn }) => dn === written);
  if (exact.length === 1) return exact[0];
  throw new Refusal(`${written} may be one of ${listed(bearers)}: spell it as one of them, or rename one of them`);
}

/** The DN of an entry's parent, as the entry's own DN spells it. */
export const parentAsWritten = (dn: string): string => rdnTexts(dn).slice(1).join(",");

/**
 * The entries below a name that are children of the namesake spelled like `parent`.
 * Throws a `Refusal` if an entry's DN spells its parent like none of the namesakes.
 */
export function childrenOf(
  parent: string,
  bearers: readonly MirrorEntry[],
  below: readonly MirrorEntry[],
): readonly MirrorEntry[] {
  if (bearers.length < 2) return below;
  const spelled = new Set(bearers.map(({ dn }) => dn));
  const stray = below.find(({ dn }) => !spelled.has(parentAsWritten(dn)));
  if (stray) throw new Refusal(`${stray.dn} may be below one of ${listed(bearers)}: rename one of them`);
  return below.filter(({ dn }) => parentAsWritten(dn) === parent);
}

const listed = (bearers: readonly MirrorEntry[]): string => bearers.map(({ dn }) => shownLine(dn)).join(" and ");
