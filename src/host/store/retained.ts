import { type HeldBy, type RetainedBy, retainedBy } from "../../core/stream/reasons.ts";

/** The reason why a row is retained, in the form of the column, and its detail in words. */
export interface Retained {
  readonly by: RetainedBy;
  readonly detail: string;
}

/** A question about removals that a person answers by its digest, and the number of rows that would be removed. */
export interface Question {
  readonly digest: string;
  readonly rows: number;
}

/** The question in words. */
export const sayQuestion = ({ digest, rows }: Question): string =>
  `held with the removals ${digest}: ${rows} ${rows === 1 ? "row" : "rows"} would be removed`;

interface Reason {
  /** The sentence that people read. The question is the one that is open now: other rows may have come back since. */
  say(detail: string, question: Question | undefined): string;
  /** True if a full run tries the row again, since the daemon may have changed. */
  readonly isTriedAgain: boolean;
}

/** Each reason why a row is retained, with its one sentence. */
export const retentions: Readonly<Record<RetainedBy, Reason>> = {
  /** The transcriber reports that the entry has no valid row. A new report about it ends that. */
  directory: { say: (detail) => `refused: ${detail}`, isTriedAgain: false },
  /**
   * This program's schema of the table does not accept the row: the transcriber has other code. A new row, or a restart
   * with the same code, ends that.
   */
  version: { say: (detail) => `other version: ${detail}`, isTriedAgain: false },
  /**
   * The row was left out of a text, alone or with others, so that the text passes its check. A new row, or a second
   * chance, ends that.
   */
  check: { say: (detail) => `refused by the check: ${detail}`, isTriedAgain: false },
  /** The daemon does not accept the row. A new row, or a full run, ends that. */
  daemon: { say: (detail) => `refused by the daemon: ${detail}`, isTriedAgain: true },
  /** A foreign thing is in its place. A person approves its replacement, or it disappears. */
  conflict: { say: (detail) => `held: ${detail}`, isTriedAgain: true },
  /**
   * The row would be removed with too many others, or as the last of its table. A person approves the question, or the
   * row comes back.
   */
  removals: {
    say: (detail, question) => `${question ? sayQuestion(question) : "held with other removals"}, held as ${detail}`,

    isTriedAgain: false,
  },
};

/** The reasons of rows that a full run tries again, as a list in SQL. */
export const triedAgain = `(${retainedBy
  .filter((by) => retentions[by].isTriedAgain)
  .map((by) => `'${by}'`)
  .join(", ")})`;

/** The sentence of a row that is retained. */
export const sayRetained = ({ by, detail }: Retained, question: Question | undefined): string =>
  retentions[by].say(detail, question);

/** The hold of a service. */
export interface Hold {
  readonly by: HeldBy;
  /** The reason in words; it may be empty for a hold by a person. */
  readonly detail: string;
}

/** The sentence of a hold that people read. */
export const sayHold = ({ by, detail }: Hold): string =>
  by === "person" ? `by a person${detail === "" ? "" : `: ${detail}`}` : detail;
