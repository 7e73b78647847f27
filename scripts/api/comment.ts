import type { Item } from "./model.ts";

/** A doc comment in its parts. */
export interface Comment {
  /** The text before the first tag. */
  readonly text: string;
  /** The texts of `@throws`. */
  readonly throws: readonly string[];
  /** The fenced code of `@example`. */
  readonly examples: readonly string[];
}

/** The doc comment of an export or a member; its text is empty where there is none. */
export function commentOf({ docComment = "" }: Item): Comment {
  const lines = docComment
    .replace(/^\s*\/\*\*\s?|\s*\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^ *\* ?/, ""));
  const [text = "", ...tags] = lines.join("\n").split(/^@(?=throws|example)/m);
  const of = (tag: string): string[] =>
    tags.filter((one) => one.startsWith(tag)).map((one) => one.slice(tag.length).trim());
  return { text: text.trim(), throws: of("throws"), examples: of("example") };
}

/** The first sentence of a text, without its end. */
export const firstSentence = (text: string): string =>
  text.replace(/\s+/g, " ").split(/(?<=[\w)`])[.;](?: |$)/)[0] ?? "";

/** A text on as many lines of at most `width` characters as it needs, each after the first indented; code in backticks stays whole if it fits. */
export function wrapped(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  const whole = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  const tooLong = (word: string): boolean => indent.length + word.length > width && !word.includes("\n");
  for (const word of whole.flatMap((one) => (tooLong(one) ? one.split(" ") : [one]))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : indent + word);
  }
  return lines.join("\n");
}

/** The paragraphs of a text, each wrapped; fenced code stays as it is. */
export const paragraphs = (text: string, width: number): string =>
  text
    .split(/\n\s*\n/)
    .map((part) => (part.startsWith("```") ? part : wrapped(part, width)))
    .join("\n\n");
