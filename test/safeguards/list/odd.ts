import type { Removal } from "../removal.ts";

/** What others put in the place of a file, in a folder that they may write. */
export const oddRemovals: readonly Removal[] = [
  {
    id: "link-itself",
    guards: "a link that others put at a file's place is what is there, and is not followed",
    without: "a user keeps his access, and one user keeps the changes of all waiting",
    file: "src/host/install/in-place.ts",
    edits: [['stat?.kind !== "symlink" || (await isOthers(files, at, stat))', 'stat?.kind !== "symlink"']],
    tests: ["src/host/install/odd.test.ts"],
  },
  {
    id: "link-rights",
    guards: "a file in the place of a link has no rights of the link",
    without: "everybody may write it",
    file: "src/host/install/target.ts",
    edits: [["disk?.odd === undefined ? disk?.stat : undefined", "disk?.stat"]],
    tests: ["src/host/install/odd.test.ts"],
  },
  {
    id: "link-no-way-back",
    guards: "nobody goes back to what others put in the place of a file",
    without: "a failed reload brings a user's link back",
    file: "src/host/install/install.ts",
    edits: [["disk && disk.odd === undefined ? {", "disk ? {"]],
    tests: ["src/host/install/odd.test.ts"],
  },
  {
    id: "large-not-read",
    guards: "a huge file of somebody else is not read",
    without: "one user keeps the changes of all waiting",
    file: "src/host/install/in-place.ts",
    edits: [["(!isFile || stat.size > largest)", "!isFile"]],
    tests: ["src/host/install/odd.test.ts"],
  },
  {
    id: "leaving-not-fought",
    guards: "whoever keeps writing a file does not keep it when it goes",
    without: "a user keeps his access by three edits",
    file: "src/host/install/hand-edit.ts",
    edits: [["const targets = all.filter(({ hash }) => hash !== null);", "const targets = all;"]],
    tests: ["src/host/install/odd.test.ts"],
  },
  {
    id: "stays-alone",
    guards: "a file that others keep from going keeps nothing else waiting",
    without: "one user keeps the changes of all waiting",
    file: "src/host/install/apart.ts",
    edits: [["throw isTheirs ? new Stays(path, { cause: error }) : error;", "throw error;"]],
    tests: ["src/host/install/leaving.test.ts"],
  },
  {
    id: "stuck-said",
    guards: "a file that should go and cannot is said in status",
    without: "a user keeps his access, and nobody knows",
    file: "src/host/run.ts",
    edits: [["      if (stuck !== undefined) throw new Error(stuck);\n", ""]],
    tests: ["src/host/files-of-rows.test.ts"],
  },
  {
    id: "stuck-retried",
    guards: "a file that should go and cannot is tried again by itself",
    without: "it stays after what was in the way is gone",
    file: "src/host/run.ts",
    edits: [["        if (words.stuck() !== undefined) oweFullRun(database, service);\n", ""]],
    tests: ["src/host/files-of-rows.test.ts"],
  },
];
