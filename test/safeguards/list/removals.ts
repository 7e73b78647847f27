import type { Removal } from "../removal.ts";

export const removalsRemovals: readonly Removal[] = [
  {
    id: "removal-limit",
    guards: "as many removals as are allowed go unasked",
    without: "removals are held although they may go",
    file: "src/host/store/removals.ts",
    edits: [["const tooMany = pending.length + before > limit;", "const tooMany = pending.length + before >= limit;"]],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "last-rows",
    guards: "the last rows of a table are held, at any size",
    without: "an emptied directory takes every small table along",
    file: "src/host/store/removals.ts",
    edits: [["(mayEmpty || isAnyLeft(database, service))", "(mayEmpty || isAnyLeft(database, service) || true)"]],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "removals-of-the-hour",
    guards: "removals within the hour are counted together",
    without: "a table is emptied in small steps",
    file: "src/host/store/removals.ts",
    edits: [
      [
        "const before = removedWithin(database, service, now);",
        "const before = 0 * removedWithin(database, service, now);",
      ],
    ],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "overtaken-approval",
    guards: "an approval ends when other removals are pending",
    without: "rows are removed that no person was shown",
    file: "src/host/store/removals.ts",
    edits: [
      [
        '  prepared(database, "DELETE FROM approved WHERE service = ?").run(service);\n  return false;',
        "  return false;",
      ],
    ],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "allowance-used",
    guards: "an allowance is used up",
    without: "everything may go until it ends",
    file: "src/host/store/removals.ts",
    edits: [
      [
        'rows = rows - ? WHERE service = ? AND until > ?").run(allowed, service, now);',
        'rows = rows - 0 * ? WHERE service = ? AND until > ?").run(allowed, service, now);',
      ],
    ],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "approval-spent",
    guards: "an approval is spent by what it let go",
    without: "later removals go unasked",
    file: "src/host/store/removals.ts",
    edits: [
      [
        'if (prepared(database, "DELETE FROM approved WHERE service = ?").run(service).changes > 0) return;',
        'if (prepared(database, "SELECT 1 FROM approved WHERE service = ?").get(service)) return;',
      ],
    ],
    tests: [],
    equivalent: "the next run without these very removals ends the approval, too",
  },
  {
    id: "allowed-not-counted",
    guards: "removals that were allowed beforehand do not count in the hour",
    without: "later removals are held too early",
    file: "src/host/store/removals.ts",
    edits: [
      [
        'service, at, rows) VALUES (?, ?, ?)").run(service, now, rows - allowed)',
        'service, at, rows) VALUES (?, ?, ?)").run(service, now, rows)',
      ],
    ],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "given-up-forgotten",
    guards: "a released record is forgotten after a while",
    without: "the ledger of records grows for ever",
    file: "src/host/store/owned.ts",
    edits: [['since < ?"', 'since < ? AND 1 = 0"']],
    tests: ["src/host/store/owned.test.ts"],
  },
  {
    id: "owned-as-that",
    guards: "a released record is ours with its last value alone",
    without: "a foreign record is replaced",
    file: "src/host/store/owned.ts",
    edits: [
      ["(lasting.includes(String(row?.state)) && row?.record === record)", "lasting.includes(String(row?.state))"],
    ],
    tests: ["src/host/store/owned.test.ts"],
  },
  {
    id: "flood-held-alone",
    guards: "an entry that loses many rows at once holds back no other removal",
    without: "a member who is taken out removes a thousand addresses first, and stays",
    file: "src/host/store/removals.ts",
    edits: [["pending.length - flood.length + before <= limit ? flood : pending", "pending"]],
    tests: ["src/host/store/removals.test.ts"],
  },
  {
    id: "flood-within-limit",
    guards: "what goes on beside a flood stays within the limit",
    without: "an accident removes more rows than the limit without a question",
    file: "src/host/store/removals.ts",
    edits: [
      ["pending.length - flood.length + before <= limit ? flood : pending", "flood.length > 0 ? flood : pending"],
    ],
    tests: ["src/host/store/removals.test.ts"],
  },
];
