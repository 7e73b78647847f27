import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../core/util/errors.ts";
import type { Command } from "./command.ts";

const installed = fileURLToPath(new URL("../../", import.meta.url));
const template = join(installed, "examples/tiny/");

/** The files that `npm install` of the package leaves in a folder that is otherwise empty. */
const ofNpm = ["node_modules", "package.json", "package-lock.json"];

/** Makes a new project in an empty folder: a copy of `examples/tiny`. */
export const init: Command = {
  name: "init",
  summary: "make a new project in an empty folder",
  operands: ["[FOLDER]"],
  options: {},
  more: `The project runs as it is: two hosts (the transcriber and one with a service that writes a file), and a directory of three
entries to edit. For the editor and \`tsc\`, node_modules/trigger links to this trigger if npm has not installed it
under that name. \`npm install\` in a clone makes that link again where trigger was installed by npm.`,
  async run({ operands: [name = "."] }, { folder, say, lines }) {
    const root = resolve(folder, name);
    const isOurs = (name: string): boolean => !name.startsWith(".") && !ofNpm.includes(name);
    const before = existsSync(root) ? readdirSync(root) : [];
    const found = before.filter(isOurs);
    if (found.length > 0) throw new UserError(`${root} is not empty: it holds ${found.slice(0, 3).join(", ")}`);
    // The files that a run of the template in place leaves behind are not part of it.
    cpSync(template, root, { recursive: true, filter: (from) => !/\/(\.trigger|out)$/.test(from) });
    const writeJson = (name: string, value: object): void =>
      writeFileSync(join(root, name), `${JSON.stringify(value, null, 2)}\n`);
    writeJson("tsconfig.json", typeCheck);
    const known = packageOf(root);
    const scripts = { test: "trigger test", ...linkTrigger(root), ...known.scripts };
    writeJson("package.json", { ...known, private: true, type: "module", scripts });
    writeFileSync(join(root, ".gitignore"), ".trigger/\nout/\nnode_modules/\n");
    for (const path of readdirSync(root).filter((name) => !before.includes(name))) say(`made ${join(root, path)}`);
    // Of a package in the project, or a checkout, no program is in the PATH.
    const program = existsSync(join(root, "node_modules/.bin/trigger")) ? "npx trigger" : "trigger";
    lines([
      "",
      `Now, in ${root}:`,
      `  ${program} up --all     then edit directory.ldif in another window, and look at out/hosts`,
    ]);
    return 0;
  },
};

/** The package.json that npm has made in the folder, or an empty one. */
function packageOf(root: string): { readonly scripts?: object } {
  const file = join(root, "package.json");
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  } catch (cause) {
    throw new UserError(file, { cause });
  }
}

/**
 * Links the project to this trigger, unless npm has installed it in the project or above under the name `trigger`. Returns
 * the scripts of npm that make the link again, because npm removes it when it installs. It returns none if no link is
 * made, or if a script would name a path of this machine.
 */
function linkTrigger(root: string): Readonly<Record<string, string>> {
  if (foldersUpFrom(root).some((folder) => isThisTrigger(join(folder, "node_modules/trigger")))) return {};
  const modules = join(root, "node_modules");
  const link = join(modules, "trigger");
  if (existsSync(link)) return {};
  mkdirSync(modules, { recursive: true });
  const name = basename(installed);
  const isLocal = isThisTrigger(join(modules, name));
  symlinkSync(isLocal ? name : installed, link, "dir");
  // npm runs `dependencies` after a change of node_modules, and `postinstall` if there is nothing to install.
  const again = (target: string): Readonly<Record<string, string>> => ({
    dependencies: `mkdir -p node_modules && ln -sfn ${target} node_modules/trigger`,
    postinstall: "npm run --silent dependencies",
  });
  if (isLocal) return again(name);
  if (installed.includes(`${sep}lib${sep}node_modules${sep}`)) return again(`"$(npm root -g)/${name}"`);
  // No program of a checkout is in the PATH: `npm test` needs it.
  // npm and npx look there for the program of a checkout.
  mkdirSync(join(modules, ".bin"), { recursive: true });
  symlinkSync("../trigger/bin/trigger.js", join(modules, ".bin/trigger"));
  return {};
}

const isThisTrigger = (path: string): boolean => existsSync(path) && realpathSync(path) === realpathSync(installed);

const foldersUpFrom = (folder: string): string[] =>
  folder === dirname(folder) ? [folder] : [folder, ...foldersUpFrom(dirname(folder))];

/** The type rules of a project in any folder, for the editor. A running project does not need them. */
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
  },
  include: ["trigger.config.ts", "services", "lib"],
};
