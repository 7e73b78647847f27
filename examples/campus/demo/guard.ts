import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { systemClock } from "../../../src/daemon/clock.ts";

/** A program that ends with this process, however this process ends. */
export interface Guarded extends AsyncDisposable {
  /**
   * Waits until a question to the program succeeds. Throws with the last line of its log if the program ends before
   * that, and if no answer comes in time.
   */
  answers(question: () => Promise<unknown>, signal: AbortSignal): Promise<void>;
}

/**
 * The shell script around a daemon. The end of its pipe tells it that the demo has ended, even by kill -9. Shell and
 * daemon are a process group: nothing else is killed, and Ctrl-C does not reach the daemon before the hosts have
 * stopped. `$0` is the file that announces the daemon.
 */
const script = '("$@"; rm -f "$0"; kill -9 0) & read gone; rm -f "$0"; kill -9 0';

export interface GuardOptions {
  /** The file that takes its output. */
  readonly log: string;
  /** The file with the options by which the services reach it. It is removed when the daemon ends. */
  readonly announced: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program that is ended with the demo. */
export function guard(command: readonly string[], { log, announced, env }: GuardOptions): Guarded {
  const said = openSync(log, "a");
  const child = spawn("/bin/sh", ["-c", script, announced, ...command], {
    stdio: ["pipe", said, said],
    detached: true,
    env: { ...process.env, ...env },
  });
  closeSync(said);
  const ended = once(child, "exit");
  ended.catch(() => {}); // without a shell it never answers
  return {
    async answers(question, signal) {
      const end = performance.now() + patience;
      for (;;) {
        try {
          await question();
          return;
        } catch (error) {
          signal.throwIfAborted();
          if (hasEnded(child)) throw new Error(lastWord(log));
          if (performance.now() > end) throw new Error("it does not answer", { cause: error });
        }
        await systemClock.sleep(50, signal);
      }
    },
    async [Symbol.asyncDispose]() {
      if (hasEnded(child)) return;
      child.stdin?.end();
      await ended;
    },
  };
}

/** The longest wait for the first answer of a daemon, on a busy machine too, in milliseconds. */
const patience = 30_000;

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** The reason why a daemon ended: the last line of its log that says more than the end itself. */
function lastWord(log: string): string {
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const last = lines.findLast((line) => !/exiting \(due to/.test(line)) || "it ended without a word";
  // Debian's profiles confine a daemon to its own folders; a container has no profiles.
  return /denied/i.test(last) && existsSync("/etc/apparmor.d") ? `${last}; AppArmor may confine it` : last;
}
