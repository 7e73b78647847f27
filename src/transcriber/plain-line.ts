/** A text from elsewhere as one short line that a log, a terminal and a database can carry: control characters and halves of characters are replaced. */
export function plainLine(text: string, limit = 500): string {
  const line = text
    .slice(0, limit + 1)
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ");
  return line.length > limit ? `${line.slice(0, limit - 1).toWellFormed()}…` : line;
}
