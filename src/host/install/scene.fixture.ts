import { DatabaseSync } from "node:sqlite";
import type { Host, InstallFile, InstallSteps } from "../../core/service/host-api.ts";
import { type MemoryMachine, type MemoryOptions, memoryMachine } from "../../machines/memory.ts";
import type { Clock } from "../../ports/clock.ts";
import { ownedBy } from "../store/owned.ts";
import { createAllTables } from "../store/schema.ts";
import { hostWords } from "../words.ts";
import { installer } from "./install.ts";

/** For the tests of installs: a machine with a daemon that runs what it read at its last reload. */

/** A daemon of two programs: `checkd FILE…` refuses texts with "bad", `reloadd` reads its files, fails on texts with "broken". */
export interface Daemon {
  readonly machine: MemoryMachine;
  /** The texts it runs, by path. */
  running: Map<string, string | undefined>;
  reloads: number;
  checks: string[][];
  /** The machine is at fault: reloads fail whatever the text. */
  down: boolean;
  /** Reloads say well and change nothing. */
  deaf: boolean;
  /** What init does after a boot: the daemon reads what is there. */
  boot(): void;
}

export function simulatedDaemon(paths: readonly string[], options: MemoryOptions = {}): Daemon {
  const machine = memoryMachine(options);
  const texts = () => new Map(paths.map((path) => [path, machine.text(path)]));
  const daemon: Daemon = {
    machine,
    running: texts(),
    reloads: 0,
    checks: [],
    down: false,
    deaf: false,
    boot() {
      daemon.running = texts();
    },
  };
  machine.program("checkd", ({ arguments: names }) => {
    daemon.checks.push([...names]);
    const bad = names.find((name) => machine.text(name)?.includes("bad") !== false);
    return bad === undefined ? {} : { code: 1, stderr: `${bad} is bad` };
  });
  machine.program("reloadd", () => {
    daemon.reloads += 1;
    const now = texts();
    if (daemon.down) return { code: 1, stderr: "out of memory" };
    if ([...now.values()].some((text) => text?.includes("broken"))) return { code: 1, stderr: "cannot bind" };
    if (!daemon.deaf) daemon.running = now;
    return {};
  });
  // `probed PATH TEXT…`: whether the daemon runs these texts.
  machine.program("probed", ({ arguments: words }) => {
    for (let at = 0; at < words.length; at += 2) {
      if (daemon.running.get(words[at] ?? "") !== words[at + 1])
        return { code: 1, stderr: `${words[at]} is not served` };
    }
    return {};
  });
  return daemon;
}

/** Check, reload and a probe of these very texts. */
export const stepsFor = (files: readonly InstallFile[]): InstallSteps => ({
  check: ["checkd", ...files.map(({ path }) => `{staged:${path}}`)],
  reload: ["reloadd"],
  probe: ["probed", ...files.flatMap(({ path, text }) => [path, text])],
});

/** A clock that stands still until a test moves it; whoever sleeps moves it too. */
export function standingClock(start = Date.UTC(2026, 0, 1)): Clock & { advance(milliseconds: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now,
    async sleep(milliseconds) {
      now += milliseconds;
    },
    advance(milliseconds) {
      now += milliseconds;
    },
  };
}

export function newBook(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  createAllTables(database);
  return database;
}

export interface Scene {
  readonly machine: MemoryMachine;
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly service?: string;
  readonly secret?: boolean;
  readonly unsure?: boolean;
  readonly signal?: AbortSignal;
  readonly log?: (line: string) => void;
}

const whole = ({ service = "demo", secret = false, log = () => {}, ...scene }: Scene) => ({
  signal: new AbortController().signal,
  ...scene,
  name: "host1",
  service,
  secret,
  log,
});

/** The words of one run, as after a start of the process. */
export const wordsIn = (scene: Scene) => hostWords(whole(scene));

export const installerIn = (scene: Scene) => installer(whole(scene));

export const hostIn = (scene: Scene): Host => wordsIn(scene).host;

/** Two files of the service `demo`. */
export const path = "/etc/demo/hosts.conf";
export const other = "/etc/demo/zones.conf";

/** A service that installs `path`; what is there is its own. */
export function scene(files: Record<string, string> = {}, options: { service?: string; secret?: boolean } = {}) {
  const daemon = simulatedDaemon([path, other], { files });
  const said: string[] = [];
  const clock = standingClock();
  const database = newBook();
  // What was found was approved before: the first take-over has a test of its own.
  ownedBy(database, options.service ?? "demo", clock.now).claim(Object.keys(files));
  const base = { machine: daemon.machine, database, clock, log: (line: string) => void said.push(line) };
  const all = { ...base, ...options };
  const install = (text: string, more = {}) => {
    const file = { path, text, ...more };
    return hostIn(all).install(file, stepsFor([file]));
  };
  const folder = () => daemon.machine.files.list("/etc/demo/.trigger");
  return { ...all, daemon, said, clock, install, folder, text: () => daemon.machine.text(path) };
}
