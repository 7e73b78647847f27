/** A value as an error shows it; only its kind if it could be long. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
}

/**
 * Characters that steer a terminal or are invisible: controls, format characters such as U+202E, spaces other than the
 * usual one, and others without a glyph (an empty Braille cell, a null notehead).
 */
const unseen = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]/gu;

/**
 * A text from outside as one short line for a log, a terminal or a database. Line ends and tabs become a space.
 * Invisible characters are escaped (`\u202e`), so that no name passes for another and no text steers a terminal.
 */
export function plainLine(text: string, limit = 500): string {
  const line = text
    .slice(0, limit + 1)
    .replace(/[\t\n\r]+/g, " ")
    .replace(unseen, escaped);
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line;
}

/**
 * A line of any length for a terminal. Line ends are escaped, too, so that no name forges a line; a tab stays. A
 * command need not call it: `screenOf` (src/cli/screen.ts) escapes all output.
 */
export const shownLine = (text: string): string =>
  text.replace(unseen, (found) => (found === "\t" ? found : escaped(found)));

/** A value as JSON for a terminal. Characters that steer a terminal or are invisible are escaped in the way of JSON. */
export const plainJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(unseen, (text) =>
    text === "\n" ? text : text.split("").map(escaped).join(""),
  );

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}
