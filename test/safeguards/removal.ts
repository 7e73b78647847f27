/** A safeguard of the program taken out of its code, and the tests that must notice. */
export interface Removal {
  /** Names the safeguard, in words with hyphens. */
  readonly id: string;
  /** The rule that the code keeps. */
  readonly guards: string;
  /** The fault that users would see without it. */
  readonly without: string;
  readonly file: string;
  /** Texts that stand exactly once in the file when their turn comes, and what replaces them. */
  readonly edits: readonly (readonly [search: string, replacement: string])[];
  /** The tests nearest to the safeguard, the surest first; none where `equivalent` says why. */
  readonly tests: readonly string[];
  /** The reason why no test can notice. */
  readonly equivalent?: string;
}

/** The text without the safeguard; throws, with the search text, where that is not found exactly once. */
export function without({ id, file, edits }: Removal, text: string): string {
  return edits.reduce((rest, [search, replacement]) => {
    const found = rest.split(search).length - 1;
    if (found !== 1)
      throw new Error(
        `${id}: the search text is found ${found} times in ${file}, and must be there once:\n${search}\n` +
          "Write in test/safeguards/list what stands there now, or take the entry out with its safeguard.",
      );
    return rest.replace(search, () => replacement);
  }, text);
}
