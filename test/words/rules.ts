import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A rule for what people read: the files that it holds, and what it finds wrong in the text of one. */
export interface Rule {
  readonly says: string;
  readonly files: readonly string[];
  wrongIn(text: string): string[];
}

/** The root of the checkout. */
const root = join(import.meta.dirname, "../..");

const below = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name) && !/(?:^|\/)(?:out|\.trigger|node_modules)\//.test(name))
    .map((name) => join(folder, name));

const code = ["src", "test", "scripts", "examples"].flatMap((folder) => below(folder, /\.ts$/));
const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ...below("docs", /\.md$/)];

/** Pages that are written by `npm run docs` and `npm run safeguards`: their texts stand elsewhere. */
const generated = /^docs\/(?:command-line|design\/safeguards|api\/.*)\.md$/;
const written = pages.filter((page) => !generated.test(page));

const opening =
  /\/\*\*[\s*]*(What|How|Whether|Who|Whoever|Whom|Whose|Whatever|Where|When|Which|Why|Nobody|Somebody)\b[^\n]*/g;

const testName =
  /\b(?:test|it|describe|suite|claim|everyStore|everyState)(?:\.\w+)?\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;

/** Words that the code and the pages had before, and those in their place: docs/concepts.md is the glossary. */
const terms: readonly (readonly [was: RegExp, say: string])[] = [
  [/\bloaded\b/i, "applied"],
  [/\bow(?:ed|es|ing)\b/i, "pending"],
  [/\bin force\b/i, "applied"],
  [/\bproved\b/i, "serving"],
  [/\*\*kept\*\*/i, "retained"],
  [/\bstrangers?\b/i, "untrusted, or foreign"],
  [/\bin the way\b/i, "conflict"],
  [/\bsheets?\b/i, "computed table"],
  [/\bspeakers?\b/i, "leader"],
  [/\bmovers?\b/i, "table writer"],
  [/\bhearings?\b/i, "inbound"],
  [/\bwould go\b/i, "would be removed"],
  [/\bmay (?:go )?within\b/i, "at most … an hour"],
  [/\bstands by\b/i, "standby"],
  [/\bout of touch\b/i, "no report since …"],
  [/\bnot believed\b/i, "implausible"],
  [/\bnothing is known of it here\b/i, "no report here"],
  [/\banew\b/i, "again"],
  [/\b(?:somebody|nobody|whoever)\b/i, "the noun"],
  [/\bso many\b/i, "the number"],
];

/** The words of `terms` that have no other meaning in code, where a user of Unix is called `nobody`. */
const idioms: typeof terms = [
  ...terms.filter(([was]) => !/loaded|ow\(|sheets|speakers|kept|nobody/.test(was.source)),
  [/\b(?:somebody|whoever)\b/i, "the noun"],
];

/** The most words of a sentence in a comment. */
const longestSentence = 25;

/** The comments of a program: their text on one line each, a piece of code as one word. */
function commentsOf(text: string): string[] {
  const found = text.matchAll(/\/\*\*([\s\S]*?)\*\/|((?:^[ \t]*\/\/ .*\n)+)/gm);
  return [...found].map(([, block, lines]) =>
    (block ?? lines ?? "")
      .replace(/^[ \t]*(?:\*|\/\/)[ \t]?/gm, " ")
      .replace(/`[^`]*`/g, "CODE")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

/** The sentences of a comment; a list after a colon is one of its own. */
const sentencesOf = (comment: string): string[] => comment.split(/(?<=[.!?])\s+|[;:]\s+/);

/** The lines of a page that are prose or tables: neither in a fence nor indented as code. */
function linesOf(text: string): { readonly line: string; readonly at: number }[] {
  let fenced = false;
  const found: { line: string; at: number }[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*```/.test(line)) fenced = !fenced;
    else if (!fenced && !/^ {4}/.test(line)) found.push({ line, at: index + 1 });
  }
  return found;
}

/** A page without its fenced code, and with a blank in place of each code in backticks; its lines keep their numbers. */
function proseOf(text: string): string {
  const blank = (code: string): string => code.replace(/[^\n]/g, " ");
  return text.replace(/^ *```[\s\S]*?^ *```$/gm, blank).replace(/`(?:[^`\n]|\n(?!\n))*`/g, blank);
}

/** The cells of a line of a table; a link counts by its text. */
function cellsOf(line: string): string[] {
  if (!line.startsWith("|")) return [];
  return line
    .slice(1, line.lastIndexOf("|"))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
}

const wordsOf = (name: string): number => name.trim().split(/\s+/).length;

/** The rules. */
export const rules: Readonly<Record<string, Rule>> = {
  comments: {
    says: "a doc comment begins with a noun phrase or a verb in the present",
    files: code,
    wrongIn: (text) => [...text.matchAll(opening)].map(([comment]) => comment.replace(/\s+/g, " ")),
  },
  tests: {
    says: "the name of a test has at most 14 words",
    files: code.filter((file) => /\.test\.ts$|^test\//.test(file)),
    wrongIn: (text) => [...text.matchAll(testName)].map(([, , name = ""]) => name).filter((name) => wordsOf(name) > 14),
  },
  sentences: {
    says: "a sentence of a comment has at most 25 words",
    files: code.filter((file) => file.startsWith("src/")),
    wrongIn: (text) =>
      commentsOf(text)
        .flatMap(sentencesOf)
        .filter((sentence) => wordsOf(sentence) > longestSentence),
  },
  idioms: {
    says: "comments and messages have none of the words that were given up",
    files: code.filter((file) => /^(src|examples)\//.test(file) && !/\.test\.ts$/.test(file)),
    wrongIn: (text) =>
      idioms.flatMap(([was, say]) =>
        text.split("\n").flatMap((line, index) => {
          const found = was.exec(line.replace(/\/(?:\\.|[^/\n])+\//g, ""));
          return found ? [`line ${index + 1}: "${found[0]}", say: ${say}`] : [];
        }),
      ),
  },
  lines: {
    says: "a line of prose has at most 120 characters",
    files: written,
    wrongIn: (text) =>
      linesOf(text)
        .filter(({ line }) => !line.startsWith("|") && line.length > 120)
        .map(({ line, at }) => `line ${at}: ${line}`),
  },
  cells: {
    says: "a cell of a table has at most 80 characters",
    files: written,
    wrongIn: (text) =>
      linesOf(text).flatMap(({ line, at }) =>
        cellsOf(line)
          .filter((cell) => cell.length > 80)
          .map((cell) => `line ${at}: ${cell}`),
      ),
  },
  terms: {
    says: "the prose of a page has no term that was given up",
    files: pages.filter((page) => page !== "docs/design/safeguards.md"),
    wrongIn: (text) => {
      const lines = proseOf(text).split("\n");
      return terms.flatMap(([was, say]) =>
        lines.flatMap((line, index) => {
          const found = was.exec(line);
          return found ? [`line ${index + 1}: "${found[0]}", say: ${say}`] : [];
        }),
      );
    },
  },
};

/** The findings of a rule, by file; files without findings are left out. */
export function findings(rule: Rule): Map<string, string[]> {
  const found = rule.files.map((file) => [file, rule.wrongIn(readFileSync(join(root, file), "utf8"))] as const);
  return new Map(found.filter(([, wrong]) => wrong.length > 0));
}
