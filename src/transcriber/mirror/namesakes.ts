import { rdnTexts } from "../../core/directory/dn.ts";
import { Refusal } from "../../core/util/errors.ts";
import { shownLine } from "../../core/util/shown.ts";
import type { MirrorEntry } from "./mirror-entry.ts";

/**
 * Entries whose names are one name here, and two to their server: it may fold less if its schema is not known here.
 * None replaces another. Each is found by its name as it is spelled, and by no other spelling.
 */

/** The one of some namesakes that a DN means; a `Refusal` that names them where its spelling does not tell. */
export function meant(bearers: readonly MirrorEntry[], written: string): MirrorEntry | undefined {
  if (bearers.length < 2) return bearers[0];
  const exact = bearers.filter(({ dn }) => dn === written);
  if (exact.length === 1) return exact[0];
  throw new Refusal(`${written} may be one of ${said(bearers)}: name it as it is spelled, or rename one of them`);
}

/** The DN above an entry as its own DN spells it. */
export const parentAsWritten = (dn: string): string => rdnTexts(dn).slice(1).join(",");

/**
 * The entries below a name that belong to the namesake spelled like `parent`.
 * Throws a `Refusal` if an entry is below none of the namesakes as they are spelled.
 */
export function childrenOf(
  parent: string,
  bearers: readonly MirrorEntry[],
  below: readonly MirrorEntry[],
): readonly MirrorEntry[] {
  if (bearers.length < 2) return below;
  const spelled = new Set(bearers.map(({ dn }) => dn));
  const stray = below.find(({ dn }) => !spelled.has(parentAsWritten(dn)));
  if (stray) throw new Refusal(`${stray.dn} may be below one of ${said(bearers)}: rename one of them`);
  return below.filter(({ dn }) => parentAsWritten(dn) === parent);
}

const said = (bearers: readonly MirrorEntry[]): string => bearers.map(({ dn }) => shownLine(dn)).join(" and ");
