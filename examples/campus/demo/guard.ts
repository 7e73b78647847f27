import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { systemClock } from "../../../src/daemon/clock.ts";

/** A program that ends with this process, however this process ends. */
export interface Guarded extends AsyncDisposable {
  /** Waits until something that it is asked is answered. Throws with the last line of its log when it ends before, or never answers. */
  answers(question: () => Promise<unknown>, signal: AbortSignal): Promise<void>;
}

/**
 * The end of the pipe tells the shell that the demo is gone, by kill -9 too. Shell and daemon are a group of their own, so
 * nothing else is ended and Ctrl-C does not reach the daemon before the hosts have stopped. `$0` is the file that announces it.
 */
const script = '("$@"; rm -f "$0"; kill -9 0) & read gone; rm -f "$0"; kill -9 0';

export interface GuardOptions {
  /** Where its output goes. */
  readonly log: string;
  /** The file that tells the services how to reach it: it goes with the daemon. */
  readonly announced: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program, and sees to its end. */
export function guard(command: readonly string[], { log, announced, env }: GuardOptions): Guarded {
  const said = openSync(log, "a");
  const child = spawn("/bin/sh", ["-c", script, announced, ...command], {
    stdio: ["pipe", said, said],
    detached: true,
    env: { ...process.env, ...env },
  });
  closeSync(said);
  const ended = once(child, "exit");
  ended.catch(() => {}); // no shell: then it never answers
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

/** For a daemon to begin, on a machine that does other things as well; in milliseconds. */
const patience = 30_000;

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

/** Why a daemon ended: the last line of its log that says more than that it does. */
function lastWord(log: string): string {
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const last = lines.findLast((line) => !/exiting \(due to/.test(line)) || "it ended without a word";
  // Debian's profiles let a daemon read and write its own places alone; a container has none.
  return /denied/i.test(last) && existsSync("/etc/apparmor.d") ? `${last}; AppArmor may confine it` : last;
}
