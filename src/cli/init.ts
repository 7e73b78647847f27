import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../core/outcome.ts";
import type { Command } from "./command.ts";

const template = fileURLToPath(new URL("../../examples/tiny/", import.meta.url));
const frontDoor = fileURLToPath(new URL("../index.ts", import.meta.url));

/** The types of Node that trigger itself is checked with; a package of trigger has none, and the editor then uses its own. */
const nodeTypes = fileURLToPath(new URL("../../node_modules/@types/", import.meta.url));

/** Makes a new project in an empty folder: a copy of `examples/tiny`. */
export const init: Command = {
  name: "init",
  summary: "make a new project in an empty folder",
  operands: ["[FOLDER]"],
  options: {},
  more: "The project runs as it is: two hosts (the transcriber and one with a service that writes a file), and a directory of three entries to edit.",
  async run({ operands: [name = "."] }, { folder, say, lines }) {
    const root = resolve(folder, name);
    const found = existsSync(root) ? readdirSync(root).filter((name) => !name.startsWith(".")) : [];
    if (found.length > 0) throw new UserError(`${root} is not empty: it holds ${found.slice(0, 3).join(", ")}`);
    // What a run of the template in place leaves behind is not part of it.
    cpSync(template, root, { recursive: true, filter: (from) => !/\/(\.trigger|out)$/.test(from) });
    writeFileSync(join(root, "tsconfig.json"), `${JSON.stringify(typeCheck, null, 2)}\n`);
    writeFileSync(join(root, "package.json"), `${JSON.stringify({ private: true, type: "module" }, null, 2)}\n`);
    writeFileSync(join(root, ".gitignore"), ".trigger/\nout/\n");
    for (const path of readdirSync(root)) say(`made ${join(root, path)}`);
    lines([
      "",
      `Now, in ${root}:`,
      "  trigger up --all     then edit directory.ldif in another window, and look at out/hosts",
    ]);
    return 0;
  },
};

/** For the editor: the types of a project, wherever it lies. A running project does not need it. */
const typeCheck = {
  compilerOptions: {
    target: "esnext",
    module: "nodenext",
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [nodeTypes],
    paths: { trigger: [frontDoor] },
  },
  include: ["trigger.config.ts", "services", "lib"],
};
