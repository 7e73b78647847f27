import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The lanes of the tests. The fast one needs no Debian package: it starts no daemon, and needs no root. */

const root = join(import.meta.dirname, "..");
/** Folders whose tests run whole networks, or take long. */
const slow = /^test\/(integration|chaos|simulation|stores)\//;

/** The text of a file without its comments. */
export const code = (file: string): string =>
  readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

const known = new Map<string, readonly string[]>();

/** The files that a file imports. */
function importsOf(file: string): readonly string[] {
  const found =
    known.get(file) ??
    [...code(file).matchAll(/(?:from|import\(|import)\s*"(\.[^"]+\.ts)"/g)]
      .map(([, path = ""]) => normalize(join(dirname(file), path)))
      .filter((path) => existsSync(join(root, path)));
  known.set(file, found);
  return found;
}

/** The files that are loaded with a file, itself among them. */
export function reached(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const next of importsOf(file)) reached(next, seen);
  return seen;
}

/** True for a file of `test/servers` that starts a program: a daemon or a tool of a Debian package. */
export const startsServer = (file: string): boolean =>
  file.startsWith("test/servers/") && code(file).includes('"node:child_process"');

/** The test files of the fast lane: all outside the slow folders that reach no server. */
export const unitTests = (): string[] =>
  globSync("{src,test}/**/*.test.ts", { cwd: root })
    .filter((file) => !slow.test(file) && ![...reached(file)].some(startsServer))
    .sort();

/** The programs of the Debian packages that scripts/setup.sh installs for the tests. */
export const packagedPrograms = (): string[] => [
  ...new Set(
    [...readFileSync(join(root, "scripts/setup.sh"), "utf8").matchAll(/^need (\S+) /gm)].map(([, name = ""]) => name),
  ),
];

if (import.meta.main) console.log((process.argv[2] === "programs" ? packagedPrograms() : unitTests()).join("\n"));
