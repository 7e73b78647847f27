import { isLater, isUnfolded } from "./unfolded.ts";

/**
 * The forms in which two texts of an attribute are compared, as OpenLDAP compares them: it follows RFC 4518 in part. No
 * character is mapped to nothing or to a space: `rou<U+00AD>ter` and `router` are two values. Otherwise one entry could
 * pass for another.
 */

/**
 * The form where case does not count (caseIgnoreMatch): case folded, NFKC, spaces folded. `ß` stays distinct from `ss`,
 * and `ς` from `σ`.
 */
export function normalValue(text: string): string {
  if (isPlain(text)) return text.toLowerCase();
  return foldSpaces(byPieces(text, isUnfolded, (piece) => foldCase(piece).normalize("NFKC")));
}

/** The form where case counts (caseExactMatch): NFKC, spaces folded. */
export function exactValue(text: string): string {
  if (isPlain(text)) return text;
  return foldSpaces(byPieces(text, isLater, (piece) => piece.normalize("NFKC")));
}

/** Printable ASCII without a space to fold: nearly every value, and several times faster. */
const isPlain = (text: string): boolean =>
  /^[ -~]*$/.test(text) && !text.startsWith(" ") && !text.endsWith(" ") && !text.includes("  ");

const foldSpaces = (text: string): string => text.replace(/ {2,}/g, " ").replace(/^ | $/g, "");

// Each letter becomes one letter, at any place of a word: JavaScript has special rules for the final sigma and the
// dotted I.
const foldCase = (text: string): string => text.replaceAll("Σ", "σ").replaceAll("İ", "i").toLowerCase();

/** Normalizes a text, except for the characters to keep. */
function byPieces(text: string, isKept: (character: string) => boolean, normal: (piece: string) => string): string {
  let done = "";
  let from = 0;
  for (const { 0: character, index } of text.matchAll(/[^\0-\x7f]/gu)) {
    if (!isKept(character)) continue;
    done += normal(text.slice(from, index)) + character;
    from = index + character.length;
  }
  return done + normal(text.slice(from));
}
