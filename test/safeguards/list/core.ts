import type { Removal } from "../removal.ts";

export const coreRemovals: readonly Removal[] = [
  {
    id: "digest-counts-back",
    guards: "a failed commit takes the counts of buckets back",
    without: "a table is in doubt until its process restarts",
    file: "src/core/stream/digest.ts",
    edits: [["      for (const [bucket, rows] of counts.entries()) this.#counts[bucket] = rows;\n", ""]],
    tests: ["src/core/stream/digest.test.ts"],
  },
  {
    id: "digest-root-moves",
    guards: "a bucket that becomes empty moves the root",
    without: "`verify` says equal although the rows have vanished",
    file: "src/core/stream/digest.ts",
    edits: [
      ["    this.#texts[bucket] = textOf(0n);\n    this.#root = undefined;", "    this.#texts[bucket] = textOf(0n);"],
    ],
    tests: ["src/core/stream/digest.test.ts"],
  },
  {
    id: "same-hash-together",
    guards: "keys of one hash are in one part",
    without: "a part of a repair lacks a row, which is taken away",
    file: "src/core/stream/cell-table.ts",
    edits: [
      ["if (full && rows.length > 0 && hash !== last) return false;", "if (full && rows.length > 0) return false;"],
    ],
    tests: ["src/core/stream/cell-table.test.ts"],
  },
  {
    id: "parts-divide",
    guards: "parts of a range begin where the range divides",
    without: "a part says of one hash more than it compared",
    file: "src/core/stream/ranges.ts",
    edits: [
      ["from + Math.ceil((number * (to - from)) / parts),\n", "from + Math.floor((number * (to - from)) / parts),\n"],
    ],
    tests: ["src/host/inbox/reconcile.test.ts"],
  },
  {
    id: "ground-asked-again",
    guards: "rows are blamed only if the text without changes still passes",
    without: "good rows wait because the machine failed for a moment",
    file: "src/core/util/bisect.ts",
    edits: [["last === undefined ? undefined : await check(good)", "undefined as Why | undefined"]],
    tests: ["src/core/util/bisect.test.ts"],
  },
  {
    id: "second-chance",
    guards: "rows that were asked too early are asked once more",
    without: "a good row waits because of a bad one",
    file: "src/core/util/bisect.ts",
    edits: [["    if (!independent && refused.length < refusals) {", "    if (false as boolean) {"]],
    tests: ["src/core/util/bisect.test.ts"],
  },
  {
    id: "search-budget",
    guards: "the search for refused rows ends with its time",
    without: "a service stands still while it searches",
    file: "src/core/util/bisect.ts",
    edits: [["if (made === checks || options.isOver?.())", "if (made === checks)"]],
    tests: ["src/core/util/bisect.test.ts"],
  },
  {
    id: "first-wave",
    guards: "the first wave waits for no other",
    without: "changes wait for the first host, which waits for itself",
    file: "src/core/config/waves.ts",
    edits: [["findIndex((wave) => wave.includes(host)) > 0", "findIndex((wave) => wave.includes(host)) >= 0"]],
    tests: ["src/core/config/waves.test.ts"],
  },
  {
    id: "own-is-extra",
    guards: "what is trigger's own and extra is no foreign record",
    without: "`verify` calls a left-over row foreign",
    file: "src/core/service/compare.ts",
    edits: [["table.shared && !owns(name) ? foreign : extra", "table.shared ? foreign : extra"]],
    tests: ["src/core/service/compare.test.ts"],
  },
];
