/**
 * The most lines of a text that is compared. A diff of a megabyte of line ends would take seconds, and one of 60
 * megabytes all memory.
 */
const mostLines = 100_000;

/** The most characters of a text that is compared. */
const mostCharacters = 8 << 20;

/** True if a diff of this text may block a daemon for too long. */
export function tooLongToDiff(text: string): boolean {
  if (text.length > mostCharacters) return true;
  let at = -1;
  for (let lines = 0; lines <= mostLines; lines++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return false;
  }
  return true;
}
