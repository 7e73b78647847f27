import type { Removal } from "../removal.ts";

export const machinesRemovals: readonly Removal[] = [
  {
    id: "born-private",
    guards: "a file is created for its owner alone",
    without: "a secret can be read for a moment",
    file: "src/machines/real-files.ts",
    edits: [["(stat && shared ? 0 : make), 0o600)", "(stat && shared ? 0 : make), 0o666)"]],
    tests: ["test/integration/durable.test.ts"],
  },
  {
    id: "tail-cut",
    guards: "a shorter text replaces the whole file",
    without: "the old text's end stays behind the new one",
    file: "src/machines/real-files.ts",
    edits: [["      await handle.truncate();\n", ""]],
    tests: ["src/machines/machine.test.ts"],
  },
  {
    id: "fsync-real",
    guards: "a sync is the system's",
    without: "a power cut loses what was said to be durable",
    file: "src/machines/real-files.ts",
    edits: [["() => handle.sync()", "() => handle.stat().then(() => {})"]],
    tests: ["test/integration/durable.test.ts"],
  },
  {
    id: "owner-first",
    guards: "the owner is set before the mode",
    without: "special bits of the mode are lost",
    file: "src/machines/real-files.ts",
    edits: [
      [
        "        if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);\n        const wanted = mode ?? (stat ? undefined : 0o644);\n        if (wanted !== undefined) await handle.chmod(wanted);\n",
        "        const wanted = mode ?? (stat ? undefined : 0o644);\n        if (wanted !== undefined) await handle.chmod(wanted);\n        if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);\n",
      ],
    ],
    tests: ["src/machines/real-files.test.ts"],
  },
  {
    id: "link-of-others",
    guards: "a symlink that others may have put there is not followed",
    without: "a daemon's user chooses what root reads and writes",
    file: "src/machines/walk.ts",
    edits: [["if (othersMayReplace(folder.stat, stat, me()))", "if (false)"]],
    tests: ["src/machines/walk.test.ts"],
  },
  {
    id: "walk-pinned",
    guards: "below a folder that others may write, names are looked up by descriptor",
    without: "a folder that is swapped for a link meanwhile leads root elsewhere",
    file: "src/machines/walk.ts",
    edits: [["if (!within?.open && !othersMayReplace(stat, undefined, me()))", "if (within !== null)"]],
    tests: ["src/machines/walk-race.test.ts"],
  },
  {
    id: "group-may-write",
    guards: "a folder that a daemon's group may write is one that others may write",
    without: "a link in Debian's /var/cache/bind is followed",
    file: "src/core/service/trust.ts",
    edits: [["(folder.mode & (allWrite | groupWrites)) !== 0", "(folder.mode & allWrite) !== 0"]],
    tests: ["src/machines/walk.test.ts"],
  },
];
