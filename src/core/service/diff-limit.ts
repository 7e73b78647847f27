/** A diff of more lines than this is not made. A megabyte of line ends would take seconds, and 60 of them all memory. */
const mostLines = 100_000;

/** The most characters of a text that is compared. */
const mostCharacters = 8 << 20;

/** True if a diff of a text with another one may take longer than a daemon can stand still. */
export function tooLongToDiff(text: string): boolean {
  if (text.length > mostCharacters) return true;
  let at = -1;
  for (let lines = 0; lines <= mostLines; lines++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return false;
  }
  return true;
}
