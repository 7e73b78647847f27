/** How two texts of an attribute are compared (string preparation, RFC 4518). */

/**
 * The form in which `where(attribute, value)` compares texts: case folded, spaces folded, NFKC.
 * `ß` stays apart from `ss`, as in OpenLDAP and 389: a directory can hold both `ou=Straße` and `ou=Strasse`.
 */
export function normalValue(text: string): string {
  if (isPlain(text)) return text.toLowerCase();
  // Twice: folding can leave a letter that composes, and composing one that folds.
  return foldCase(foldCase(exactValue(text)));
}

/** The same for attributes in which case counts (caseExactMatch): spaces folded, NFKC. */
export function exactValue(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(white, " ").replace(unseen, "").normalize("NFKC").replace(/ {2,}/g, " ").replace(/^ | $/g, "");
}

/** ASCII without a space that preparation would touch: nearly every value, and several times faster. */
const isPlain = (text: string): boolean =>
  /^[ -~]*$/.test(text) && !text.startsWith(" ") && !text.endsWith(" ") && !text.includes("  ");

// RFC 4518, 2.2: these become a space, and those nothing (also the invisible ones with which two equal-looking names would differ).
const white = /[\t-\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/g;
const unseen = /(?:[\p{Cc}\p{Cf}\ufffc]|\p{Variation_Selector}|\u034f)/gu;

// The final sigma is written by position, not by meaning.
const foldCase = (text: string): string => text.toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
