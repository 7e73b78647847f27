import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The lanes of the tests. The fast one needs no Debian package: it starts no daemon, and needs no root. */

const root = join(import.meta.dirname, "..");
/** Folders whose tests run whole networks, or take long. */
const slow = /^test\/(integration|chaos|simulation|stores)\//;

/** The text of a file without its comments. */
export const code = (file: string): string =>
  readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");

/**
 * Tests that need no package and run in `npm test` alone, each with the reason: the fast lane is for every change, and is to end within
 * a minute on two cores.
 */
export const longer: Readonly<Record<string, string>> = {
  "src/brokers/sqlite/processes.test.ts": "starts and kills dozens of processes that share a file",
  "src/cli/hostile.test.ts": "runs a whole network on every hostile entry",
  "src/host/install/kill.test.ts": "kills a process at each step of an install",
  "src/host/install/odd.test.ts": "needs root, and races against another user of the machine",
  "src/testing/conformance.test.ts": "drives each broken service through every generated history",
  "test/docs.test.ts": "runs the network of a page until it has served, waited and recovered",
  "test/types/types.test.ts": "compiles a second program of deliberate mistakes",
};

/** The tests that `npm run check` runs: a change has passed them before it comes here. */
const checked = (): string[] => JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts.check.split(" ");

/** Processor time of the test files that take most, in seconds (two cores, 2026-11); any other one counts half a second. */
const weights: Readonly<Record<string, number>> = {
  "src/transcriber/tables/transcription.test.ts": 9,
  "src/host/store/messages.test.ts": 8,
  "src/host/store/removals.test.ts": 7,
  "src/daemon/store-file.test.ts": 5,
  "src/directories/exact.test.ts": 5,
  "src/host/bisect.test.ts": 5,
  "src/transcriber/publish/allowance.test.ts": 5,
  "src/directories/ldap/random.test.ts": 4,
  "src/host/hostile.test.ts": 5,
  "src/cli/status.test.ts": 4,
  "test/services/bind-zone.test.ts": 4,
  "src/host/repair.test.ts": 4,
  "src/directories/events/source.test.ts": 4,
  "src/machines/walk.test.ts": 4,
  "src/directories/ldap/wire.test.ts": 3,
  "src/directories/ldap/hostile.test.ts": 3,
  "src/host/install/shared.test.ts": 3,
  "src/transcriber/receive/hostile.test.ts": 3,
  "test/services/freeradius.test.ts": 3,
};

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

/** The test files of the fast lane: those outside the slow folders that reach no server, without the longer ones and those of `check`. */
export function unitTests(): string[] {
  const others = new Set([...Object.keys(longer), ...checked()]);
  return globSync("{src,test}/**/*.test.ts", { cwd: root })
    .filter((file) => !slow.test(file) && !others.has(file) && ![...reached(file)].some(startsServer))
    .sort();
}

/** The test files of the fast lane in two halves of about the same weight: the heaviest first, each into the lighter half. */
export function halves(): readonly [string[], string[]] {
  const weightOf = (file: string): number => weights[file] ?? 0.5;
  const both: [string[], string[]] = [[], []];
  const sums = [0, 0];
  for (const file of unitTests().sort((a, b) => weightOf(b) - weightOf(a))) {
    const half = (sums[0] ?? 0) <= (sums[1] ?? 0) ? 0 : 1;
    both[half].push(file);
    sums[half] = (sums[half] ?? 0) + weightOf(file);
  }
  return both;
}

/** The programs of the Debian packages that scripts/setup.sh installs for the tests. */
export const packagedPrograms = (): string[] => [
  ...new Set(
    [...readFileSync(join(root, "scripts/setup.sh"), "utf8").matchAll(/^need (\S+) /gm)].map(([, name = ""]) => name),
  ),
];

// lanes.ts programs | 1 | 2: the packaged programs, or the files of a half.
if (import.meta.main) {
  const [word] = process.argv.slice(2);
  const lines =
    word === "1" ? halves()[0] : word === "2" ? halves()[1] : word === "programs" ? packagedPrograms() : unitTests();
  console.log(lines.join("\n"));
}
