import type { Output } from "../core/service/host-api.ts";
import { fileError } from "../machines/file-error.ts";
import type { Machine } from "../ports/machine.ts";
import { type Disk, memoryDisk } from "./disk.ts";

/** The call of a program of a machine in memory. */
export interface Call {
  /** The words after the program; none for a socket. */
  readonly arguments: readonly string[];
  /** The standard input, or the text for the socket. */
  readonly input: string | undefined;
  /** Aborts at the deadline of the call, and when its caller stops. */
  readonly signal: AbortSignal;
}

/** A program of a machine in memory: gives the answer to a call. A missing `code` is 0, missing output is empty. */
export type Program = (call: Call) => Partial<Output> | void | Promise<Partial<Output> | void>;

/** A machine in memory: files with the durability of a disk, programs and daemons that are functions. A power cut begins another boot. */
export interface MemoryMachine extends Machine, Omit<Disk, "files"> {
  /** Registers a program by its `name`, or a daemon by the path of its socket; replaces an earlier one. */
  program(name: string, program: Program): void;
  /** Gives `daemon`, a unit or the path of a file with a process id, another incarnation, as a restart does. */
  restarted(daemon: string): void;
  /** Makes the next `times` steps that match `step` (one by default) fail with the error `code`: `fail(/^sync /, "EIO")`. */
  fail(step: RegExp, code: string, times?: number): void;
  /** Removes all faults that `fail` has set. */
  mend(): void;
}

/** The files, programs and hooks of a machine in memory. */
export interface MemoryOptions {
  /** The files that exist from the beginning, durably: texts by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** The programs by name, and daemons by the path of their socket. */
  readonly programs?: Readonly<Record<string, Program>>;
  /** The answer of each program that is not registered; exit code 127 by default, as of a shell. */
  readonly otherwise?: (program: string, call: Call) => Partial<Output>;
  /** Called before each step that changes something (`write /etc/x`, `sync /etc`, `run dhcpd -t`); a throw takes its place. */
  readonly onStep?: (step: string) => void;
}

/**
 * Makes a machine in memory: files with a disk's durability, programs that are functions. `options` has what is there
 * from the beginning. No program is by default; `everydayMachine` has a few.
 */
export function memoryMachine(options: MemoryOptions = {}): MemoryMachine {
  const { files = {}, programs = {}, otherwise = missing, onStep = () => {} } = options;
  const known = new Map(Object.entries(programs));
  const lives = new Map<string, number>();
  let boot = 1;
  let faults: { step: RegExp; code: string; times: number }[] = [];

  const step = (name: string): void => {
    onStep(name);
    const fault = faults.find((candidate) => candidate.step.test(name));
    if (!fault) return;
    fault.times -= 1;
    faults = faults.filter(({ times }) => times > 0);
    throw fileError(fault.code, ...cut(name));
  };
  const disk = memoryDisk(step);
  for (const [path, text] of Object.entries(files)) disk.place(path, text);

  return {
    ...disk,
    dry: false,
    scratch: "/scratch",
    kept: "/kept",
    async run(asked, { input, signal, deadline }) {
      signal?.throwIfAborted();
      const words: readonly string[] = "socket" in asked ? [asked.socket] : asked;
      const [name, ...rest] = known.has("env") ? words : unwrapped(words);
      if (name === undefined) throw new Error("a command without a program");
      step(`run ${[name, ...rest].join(" ")}`);
      const ending = new AbortController();
      const call = { arguments: rest, input, signal: ending.signal };
      const program = known.get(name) ?? (() => otherwise(name, call));
      const answer = program(call);
      const end = (): void => ending.abort(new Error(`${name}: ended after its deadline or by a stop`));
      const said = answer instanceof Promise ? await orEnded(answer, ending.signal, { end, signal, deadline }) : answer;
      return { code: 0, stdout: "", stderr: "", ...said };
    },
    async incarnation(daemon) {
      if (!daemon) return `boot ${boot}`;
      if ("pidFile" in daemon && disk.text(daemon.pidFile) === undefined) return undefined;
      const name = "unit" in daemon ? daemon.unit : daemon.pidFile;
      return `boot ${boot} ${name} ${lives.get(name) ?? 1}`;
    },
    powerCut(random) {
      disk.powerCut(random);
      boot += 1;
    },
    program: (name, program) => known.set(name, program),
    restarted: (daemon) => lives.set(daemon, (lives.get(daemon) ?? 1) + 1),
    fail: (step, code, times = 1) => faults.push({ step, code, times }),
    mend() {
      faults = [];
    },
  };
}

/** The answer of a program. Rejects if the program is ended first, by its deadline in milliseconds or by the signal. */
async function orEnded<T>(
  answer: Promise<T>,
  ended: AbortSignal,
  { end, signal, deadline }: { end(): void; readonly signal?: AbortSignal | undefined; readonly deadline: number },
): Promise<T> {
  const timer = setTimeout(end, deadline).unref();
  signal?.addEventListener("abort", end);
  try {
    const killed = new Promise<never>((_, reject) => ended.addEventListener("abort", () => reject(ended.reason)));
    return await Promise.race([answer, killed]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

const missing = (program: string): Output => ({ code: 127, stdout: "", stderr: `${program}: not found` });

function cut(step: string): [operation: string, path: string] {
  const at = step.indexOf("/");
  return at < 0 ? [step, ""] : [step.slice(0, at).trim(), step.slice(at)];
}

/**
 * The command of a check with another user's rights (`env -i -C FOLDER PATH=… setpriv … -- COMMAND`), which finds its
 * copies by their whole names.
 */
function unwrapped(words: readonly string[]): readonly string[] {
  const [env, clean, enter, folder, , ...rest] = words;
  if (env !== "env" || clean !== "-i" || enter !== "-C") return words;
  const command = rest[0] === "setpriv" ? rest.slice(rest.indexOf("--") + 1) : rest;
  return command.map((word) => word.replace(/^\.\//, `${folder}/`));
}
