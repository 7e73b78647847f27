import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { reason } from "../../../src/core/util/errors.ts";
import { type Guarded, type GuardOptions, guard } from "./guard.ts";
import { keaDaemon } from "./kea.ts";
import { namedDaemon } from "./named.ts";
import type { Screen } from "./screen.ts";

/** A daemon that the demo runs for a service, where it is installed. */
export interface Daemon {
  /** The name of the daemon in lib/here.ts. */
  readonly name: string;
  /** The programs that it needs, each with the Debian package that has it. */
  readonly programs: Readonly<Record<string, string>>;
  /** Two sentences for people: the use of the daemon, and the replacement where it is not installed. */
  readonly live: string;
  readonly otherwise: string;
  start(ground: Ground): Promise<Running>;
}

/** The surroundings in which a daemon starts. */
export interface Ground {
  /** An empty folder for all files that the daemon writes. */
  readonly folder: string;
  readonly signal: AbortSignal;
  run(command: readonly string[], options: Omit<GuardOptions, "announced">): Guarded;
}

export interface Running {
  /** The options by which its service reaches it. */
  readonly reach: object;
  /** A command with which a person queries it. */
  readonly question?: string;
  /** The content that it serves now: the text of a file for each of its hosts, by path. */
  serves(): Promise<Readonly<Record<string, string>>>;
  /** The IPv4 addresses that a name server answers for a name of the campus; undefined if it does not answer. */
  ask?(name: string): Promise<readonly string[] | undefined>;
}

/** The daemons that run for the demo; they end when it is closed. */
export interface Daemons extends AsyncDisposable {
  readonly running: readonly Running[];
  /** Writes the content that they serve to files, beside the files of the hosts. */
  look(): Promise<void>;
}

const all: readonly Daemon[] = [namedDaemon, keaDaemon];

/** Starts the daemons that are installed here and shows their names. The services of the others write files. */
export async function startDaemons(out: string, signal: AbortSignal, show: Screen): Promise<Daemons> {
  const guarded: Guarded[] = [];
  const running: Running[] = [];
  const end = async (): Promise<void> => void (await Promise.all(guarded.map((one) => one[Symbol.asyncDispose]())));
  show.say("Daemons, started for the demo alone where they are installed:");
  for (const { name, programs, live, otherwise, start } of all) {
    const missing = Object.keys(programs).filter((program) => !isInstalled(program));
    if (missing.length > 0) {
      const packages = [...new Set(missing.map((program) => programs[program]))];
      show.daemon(name, `${otherwise} (live: apt-get install ${packages.join(" ")})`);
      continue;
    }
    const folder = join(out, "daemons", name);
    const announced = `${folder}.json`;
    mkdirSync(folder, { recursive: true });
    const own: Guarded[] = [];
    try {
      const run: Ground["run"] = (command, options) => {
        const one = guard(command, { ...options, announced });
        own.push(one);
        return one;
      };
      const started = await start({ folder, signal, run });
      writeFileSync(announced, JSON.stringify(started.reach));
      running.push(started);
      guarded.push(...own);
      show.daemon(name, live);
    } catch (error) {
      await Promise.all(own.map((one) => one[Symbol.asyncDispose]()));
      if (signal.aborted) await end();
      signal.throwIfAborted();
      show.daemon(name, `${otherwise} (it is here and does not start: ${reason(error)})`);
    }
  }
  return {
    running,
    async look() {
      for (const served of await Promise.allSettled(running.map(({ serves }) => serves()))) {
        // A person may have ended the daemon: its service reports that.
        if (served.status === "rejected") continue;
        for (const [path, text] of Object.entries(served.value)) {
          mkdirSync(join(out, path, ".."), { recursive: true });
          writeFileSync(join(out, path), text);
        }
      }
    },
    [Symbol.asyncDispose]: end,
  };
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // that is the answer
    }
  });
}
