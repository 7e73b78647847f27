import type { Removal } from "../removal.ts";

const unfinished = ["src/transcriber/tables/unfinished.test.ts"];
const budget = ["src/transcriber/tables/entry-budget.test.ts"];

/** The bounds of one evaluation. */
export const boundsRemovals: readonly Removal[] = [
  {
    id: "select-interrupted",
    guards: "a select has its time and no more",
    without: "one entry stops the transcriber for ever",
    file: "src/transcriber/tables/interrupt.ts",
    edits: [["{ timeout: Math.max(1, Math.ceil(milliseconds)) }", "{}"]],
    tests: unfinished,
  },
  {
    id: "select-in-all",
    guards: "the time of all rows of an entry counts",
    without: "an entry of many slow rows holds all others up",
    file: "src/transcriber/tables/evaluate-all.ts",
    edits: [["open.took += used;", ""]],
    tests: unfinished,
  },
  {
    id: "select-undecided",
    guards: "a select that does not end removes no row",
    without: "a slow machine takes a member's access away",
    file: "src/core/service/refusal-removes.ts",
    edits: [[" || isUndecided(cell)", ""]],
    tests: ["src/core/service/refusal-removes.test.ts"],
  },
  {
    id: "select-retried",
    guards: "an entry whose select did not end is tried again",
    without: "a transcriber that was slow once keeps a row for ever",
    file: "src/transcriber/tables/evaluate-all.ts",
    edits: [["timed: true, next: retryAt", "timed: true, next: undefined"]],
    tests: unfinished,
  },
  {
    id: "select-reads-noted",
    guards: "what an interrupted select has read is noted",
    without: "the change that ends the loop is noticed a day later",
    file: "src/transcriber/tables/evaluate-all.ts",
    edits: [["new Set(evaluation?.reads)", "new Set<string>()"]],
    tests: unfinished,
  },
  {
    id: "select-stood-still",
    guards: "a process that was stopped blames no entry",
    without: "a suspended machine says that select does not end",
    file: "src/transcriber/tables/evaluate-all.ts",
    edits: [["!hasEnded && used < elapsed / 2", "false"]],
    tests: unfinished,
  },
  {
    id: "select-rarer",
    guards: "an entry whose select does not end has ever less time",
    without: "a member who edits his entry each second stops the transcriber",
    file: "src/transcriber/tables/unfinished.ts",
    edits: [["2 ** -halvings", "1"]],
    tests: unfinished,
  },
  {
    id: "select-share",
    guards: "all entries whose select does not end take a tenth of the time",
    without: "a select that never ends for thousands of entries stops the transcriber for hours",
    file: "src/transcriber/tables/unfinished.ts",
    edits: [["this.#spentAt(now) < atOnce * this.#limit", "true"]],
    tests: unfinished,
  },
  {
    id: "entry-looks",
    guards: "an entry reads so many entries and values, and no more",
    without: "a loop over the directory within a loop takes minutes",
    file: "src/transcriber/tables/entry-budget.ts",
    edits: [["this.#looks > looks", "false"]],
    tests: budget,
  },
  {
    id: "entry-comparisons",
    guards: "an entry compares so many values, and no more",
    without: "a loop of comparisons takes minutes",
    file: "src/transcriber/tables/entry-budget.ts",
    edits: [["this.#comparisons > comparisons", "false"]],
    tests: budget,
  },
  {
    id: "entry-claims",
    guards: "each claim of a row is a comparison",
    without: "an entry of a few megabytes claims millions of values",
    file: "src/transcriber/tables/evaluate.ts",
    edits: [["if (keyed.row) budget.compare(claimCount(table, keyed.row.row));", ""]],
    tests: budget,
  },
  {
    id: "entry-over-caught",
    guards: "a limit counts although select catches its refusal",
    without: "a select that catches errors has no limit",
    file: "src/transcriber/tables/evaluate.ts",
    edits: [["if (budget.over !== undefined) return", "if (rows === undefined && budget.over) return"]],
    tests: budget,
  },
];
