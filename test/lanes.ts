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
  "src/directories/exact.test.ts": "measures the heap, which other tests of one process change",
  "src/host/install/kill.test.ts": "kills a process at each step of an install",
  "src/host/install/odd.test.ts": "needs root, and races against another user of the machine",
  "src/host/install/swap.test.ts": "needs root, and exchanges files before each call of an install",
  "src/machines/walk-race.test.ts": "needs root, and races against another user of the machine",
  "src/testing/conformance.test.ts": "drives each broken service through every generated history",
  "src/testing/kit/plain.test.ts": "drives each broken service through every generated message",
  "test/docs.test.ts": "runs the network of a page until it has served, waited and recovered",
  "test/types/types.test.ts": "compiles a second program of deliberate mistakes",
};

/** The tests that `npm run check` runs: a change has passed them before it comes here. */
const checked = (): string[] => JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts.check.split(" ");

/** The seconds of the test files that take longest, alone on a machine (2026-11). Any other one counts a tenth. */
const weights: Readonly<Record<string, number>> = {
  "src/directories/ldif/source.test.ts": 17,
  "src/directories/ldap/untold.test.ts": 6.5,
  "src/host/install/crash.test.ts": 3,
  "src/host/store/removals.test.ts": 3,
  "src/machines/run-command.test.ts": 2.3,
  "src/transcriber/tables/entry-budget.test.ts": 2.3,
  "src/host/store/messages.test.ts": 2,
  "src/directories/ldif/content.test.ts": 1.9,
  "test/services/freeradius.test.ts": 1.8,
  "src/directories/ldap/hostile.test.ts": 1.4,
  "src/host/inbox/repair.test.ts": 1.4,
  "test/services/bind-zone.test.ts": 1.4,
  "src/directories/events/source.test.ts": 1,
  "src/host/run/second-chance.test.ts": 1,
  "test/services/bind.test.ts": 1,
  "test/services/command.test.ts": 1,
  "src/transcriber/publish/allowance.test.ts": 0.8,
  "test/services/files.test.ts": 0.8,
  "test/services/homes.test.ts": 0.8,
  "test/services/nftables.test.ts": 0.7,
  "test/services/postfix.test.ts": 0.7,
  "src/transcriber/publish/publisher.test.ts": 0.6,
  "src/directories/ldif/fuzz.test.ts": 0.6,
  "src/machines/machine.test.ts": 0.6,
  "src/transcriber/tables/transcription.test.ts": 0.6,
  "test/services/isc-dhcp-omapi.test.ts": 0.6,
  "test/services/isc-dhcp.test.ts": 0.6,
  "test/services/kea.test.ts": 0.6,
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

/** The processes of the fast lane: one more than the cores, as a third of the time is waiting for files, sockets and programs. */
const processes = 3;

/** The test files of the fast lane, divided among the processes: the longest first, each to the process with the least. */
export function divided(): readonly string[][] {
  const weightOf = (file: string): number => weights[file] ?? 0.1;
  const parts = Array.from({ length: processes }, () => ({ files: [] as string[], seconds: 0 }));
  for (const file of unitTests().sort((a, b) => weightOf(b) - weightOf(a))) {
    const least = parts.reduce((one, other) => (other.seconds < one.seconds ? other : one));
    least.files.push(file);
    least.seconds += weightOf(file);
  }
  return parts.map(({ files }) => files);
}

/** The programs of the Debian packages that scripts/setup.sh installs for the tests. */
export const packagedPrograms = (): string[] => [
  ...new Set(
    [...readFileSync(join(root, "scripts/setup.sh"), "utf8").matchAll(/^need (\S+) /gm)].map(([, name = ""]) => name),
  ),
];

// lanes.ts programs | processes | 1 | 2 | 3: the packaged programs, the numbers of the processes, or the files of one.
if (import.meta.main) {
  const [word] = process.argv.slice(2);
  const parts = divided();
  const lines =
    word === "programs"
      ? packagedPrograms()
      : word === "processes"
        ? parts.map((_, index) => index + 1)
        : word === undefined
          ? unitTests()
          : (parts[Number(word) - 1] ?? []);
  console.log(lines.join("\n"));
}
