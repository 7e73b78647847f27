/**
 * The known word nearest to a wrong one, if it is near enough to be meant (Levenshtein distance of at most a third).
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** A sentence on an unknown word, with the known ones and the nearest. */
export function unknown(kind: string, word: string, known: Iterable<string>): string {
  const words = [...known].sort();
  const near = nearest(word, words);
  const list = words.length > 0 ? `known: ${words.join(", ")}` : "none is known";
  return `unknown ${kind} ${JSON.stringify(word)} (${list})${near ? `; did you mean ${JSON.stringify(near)}?` : ""}`;
}

/** The sentence on the first unknown word of several; undefined if all are known. */
export function unknownOf(kind: string, words: readonly string[], known: readonly string[]): string | undefined {
  const word = words.find((each) => !known.includes(each));
  return word === undefined ? undefined : unknown(kind, word, known);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
