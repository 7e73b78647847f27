import type { Removal } from "../removal.ts";

export const machinesRemovals: readonly Removal[] = [
  {
    id: "born-private",
    guards: "a file is created for its owner alone",
    without: "a secret can be read for a moment",
    file: "src/machines/real-files.ts",
    edits: [["constants.O_WRONLY | constants.O_CREAT, 0o600)", "constants.O_WRONLY | constants.O_CREAT, 0o666)"]],
    tests: ["src/machines/machine.test.ts", "src/machines/memory.test.ts", "src/machines/dry.test.ts"],
  },
  {
    id: "tail-cut",
    guards: "a shorter text replaces the whole file",
    without: "the old text's end stays behind the new one",
    file: "src/machines/real-files.ts",
    edits: [["      await handle.truncate();\n", ""]],
    tests: ["src/machines/machine.test.ts", "src/machines/memory.test.ts", "src/machines/dry.test.ts"],
  },
  {
    id: "fsync-real",
    guards: "a sync is the system's",
    without: "a power cut loses what was said to be durable",
    file: "src/machines/real-files.ts",
    edits: [["      await handle.sync();", "      await handle.stat();"]],
    tests: [
      "src/machines/machine.test.ts",
      "src/machines/memory.test.ts",
      "src/machines/dry.test.ts",
      "src/host/install/install.test.ts",
      "src/host/install/owed.test.ts",
      "src/host/install/found.test.ts",
      "src/host/install/crash.test.ts",
      "src/host/install/kill.test.ts",
      "src/host/install/start-limit.test.ts",
    ],
  },
  {
    id: "owner-first",
    guards: "the owner is set before the mode",
    without: "special bits of the mode are lost",
    file: "src/machines/real-files.ts",
    edits: [
      [
        "      if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);\n      const wanted = mode ?? (isNew ? 0o644 : undefined);\n      if (wanted !== undefined) await handle.chmod(wanted);\n",
        "      const wanted = mode ?? (isNew ? 0o644 : undefined);\n      if (wanted !== undefined) await handle.chmod(wanted);\n      if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);\n",
      ],
    ],
    tests: ["src/machines/machine.test.ts", "src/machines/memory.test.ts", "src/machines/dry.test.ts"],
  },
];
