import type { Removal } from "../removal.ts";

export const sqliteRemovals: readonly Removal[] = [
  {
    id: "publish-synced",
    guards: "what is published is on the disk before it is confirmed",
    without: "a power cut loses accepted messages",
    file: "src/brokers/sqlite/file.ts",
    edits: [["write: (work, { durable: wanted = true } = {})", "write: (work, { durable: wanted = false } = {})"]],
    tests: ["test/integration/durable.test.ts"],
  },
  {
    id: "redelivered-said",
    guards: "after a crash deliveries are said to be repeated",
    without: "a message that kills its host is tried for ever",
    file: "src/brokers/sqlite/consume.ts",
    edits: [["consumed ? integer(statements.newest.get(id)?.id) : handedOver", "handedOver"]],
    tests: ["src/brokers/sqlite/processes.test.ts"],
  },
  {
    id: "close-stores",
    guards: "acknowledgements are stored at a close",
    without: "messages come again after a stop",
    file: "src/brokers/sqlite/consume.ts",
    edits: [
      [
        "        await storeAcknowledgements(ended);\n        await file.write((statements, life) => {\n          const",
        "        await file.write((statements, life) => {\n          const",
      ],
    ],
    tests: ["src/brokers/sqlite/queues.test.ts"],
  },
  {
    id: "file-replaced",
    guards: "a broker file that was replaced is noticed",
    without: "messages go to a file that nobody reads",
    file: "src/brokers/sqlite/file.ts",
    edits: [["if (!replaced()) return result;", "return result;"]],
    tests: ["src/brokers/sqlite/broken.test.ts"],
  },
  {
    id: "byte-limit",
    guards: "a queue drops as many messages as its byte limit asks",
    without: "a table's queue grows past its limit",
    file: "src/brokers/sqlite/publish.ts",
    edits: [
      ["while (overflows(after, 0, 0) && statements.dropOldest", "if (overflows(after, 0, 0) && statements.dropOldest"],
    ],
    tests: ["src/brokers/sqlite/queues.test.ts"],
  },
  {
    id: "bindings-go",
    guards: "bindings go with their queue",
    without: "a host is sent another service's messages",
    file: "src/brokers/sqlite/declare.ts",
    edits: [
      [
        "[statements.removeMessages, statements.unbind, statements.removeQueue]",
        "[statements.removeMessages, statements.removeQueue]",
      ],
    ],
    tests: ["src/brokers/sqlite/queues.test.ts"],
  },
  {
    id: "hears-first",
    guards: "an active process hears of its end before another begins",
    without: "two transcribers are active for a moment",
    file: "src/brokers/sqlite/stand.ts",
    edits: [["    changed(false);\n    lock.release();", "    lock.release();\n    changed(false);"]],
    tests: ["src/brokers/sqlite/queues.test.ts"],
  },
  {
    id: "lock-replaced",
    guards: "a consumer whose lock file was replaced leaves",
    without: "two processes take from one queue",
    file: "src/brokers/sqlite/consume.ts",
    edits: [["    if (lock && !lock.held()) leave();\n", ""]],
    tests: ["src/brokers/sqlite/broken.test.ts"],
  },
  {
    id: "close-ends",
    guards: "nothing is handed over once a close has begun",
    without: "messages are handled while the process ends",
    file: "src/brokers/sqlite/consume.ts",
    edits: [["      if (closing || turn !== current) return;\n", ""]],
    tests: ["src/brokers/sqlite/queues.test.ts"],
  },
  {
    id: "commit-durable",
    guards: "a commit is durable",
    without: "a power cut loses acknowledged rows, debts and messages",
    file: "src/sqlite/open.ts",
    edits: [["PRAGMA synchronous = FULL;", "PRAGMA synchronous = NORMAL;"]],
    tests: ["test/integration/durable.test.ts"],
  },
  {
    id: "refuse-at-limit",
    guards: "a queue refuses what would exceed its limit",
    without: "a refusing queue holds more than it may",
    file: "src/brokers/sqlite/publish.ts",
    edits: [
      [
        "    const refusing = bound.find((queue) => queue.refuses && overflows(queue, 1, body.length));",
        "    const refusing = bound.find((queue) => queue.refuses && overflows(queue, 0, 0));",
      ],
    ],
    tests: ["src/brokers/sqlite/sqlite.test.ts"],
  },
];
