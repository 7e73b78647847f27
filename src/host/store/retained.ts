import type { HeldBy, RetainedBy } from "../../core/reasons.ts";

/** Why a row is retained: the reason as a column has it, and its detail in words. */
export interface Retained {
  readonly by: RetainedBy;
  readonly detail: string;
}

/** A question about removals that a person answers by its digest, and the number of rows that would go. */
export interface Question {
  readonly digest: string;
  readonly rows: number;
}

/** The question in words. */
export const sayQuestion = ({ digest, rows }: Question): string =>
  `held with the removals ${digest}: ${rows} ${rows === 1 ? "row" : "rows"} would go`;

interface Reason {
  /** The sentence that people read. The question is that which is open now: other rows may have come back since. */
  say(detail: string, question: Question | undefined): string;
  /** What ends it: a word of the directory, a new run, or a person. */
  readonly endsWith: "directory" | "run" | "person";
  /** True if a full run gives the row again, since the daemon may be another one by then. */
  readonly isTriedAgain: boolean;
}

/** Each reason for which a row is retained, with its one sentence and what ends it. */
export const retentions: Readonly<Record<RetainedBy, Reason>> = {
  /** The transcriber says that the entry has no right row. */
  directory: { say: (detail) => `refused: ${detail}`, endsWith: "directory", isTriedAgain: false },
  /** This program's schema of the table does not take the row: the transcriber's code is another one. */
  version: { say: (detail) => `other version: ${detail}`, endsWith: "directory", isTriedAgain: false },
  /** The row was left out of a text, alone or with others, so that the text passes its check. */
  check: { say: (detail) => `refused by the check: ${detail}`, endsWith: "run", isTriedAgain: false },
  /** The daemon does not take the row. */
  daemon: { say: (detail) => `refused by the daemon: ${detail}`, endsWith: "run", isTriedAgain: true },
  /** Something that trigger did not write stands in its place. */
  conflict: { say: (detail) => `held: ${detail}`, endsWith: "person", isTriedAgain: true },
  /** The row would go with too many others, or as the last of its table. */
  removals: {
    say: (detail, question) => `${question ? sayQuestion(question) : "held with other removals"}, held as ${detail}`,
    endsWith: "person",
    isTriedAgain: false,
  },
};

/** The reasons of rows that a full run gives again, as a list in SQL. */
export const triedAgain = sqlList((reason) => reason.isTriedAgain);

function sqlList(picks: (reason: Reason) => boolean): string {
  const names = Object.entries(retentions).filter(([, reason]) => picks(reason));
  return `(${names.map(([name]) => `'${name}'`).join(", ")})`;
}

/** The sentence of a row that is retained. */
export const sayRetained = ({ by, detail }: Retained, question: Question | undefined): string =>
  retentions[by].say(detail, question);

/** Why a service is held. */
export interface Hold {
  readonly by: HeldBy;
  /** The reason in words; of a person's hold it may be empty. */
  readonly detail: string;
}

/** The sentence of a hold that people read. */
export const sayHold = ({ by, detail }: Hold): string =>
  by === "person" ? `by a person${detail === "" ? "" : `: ${detail}`}` : detail;
