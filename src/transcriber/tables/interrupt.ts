import { Script } from "node:vm";

/** The means to end code that does not end by itself, and to tell how long it ran. */
export interface Watch {
  /** Milliseconds that never go back. */
  now(): number;
  /** Milliseconds of processor time of this thread. */
  cpu(): number;
  /** Runs `work` for some milliseconds at most. Returns false if it was interrupted, at any place of its code. */
  run(work: () => void, milliseconds: number): boolean;
}

const place = Symbol.for("trigger.interruptible");
const script = new Script(`globalThis[Symbol.for("${place.description}")]()`, { filename: "trigger-select" });

/**
 * The watch of this thread. V8 ends the code from another thread; no `catch` and no `finally` of it runs. It also ends
 * a regular expression. It cannot end a call of the system that waits, such as `execSync`.
 */
export const watch: Watch = {
  now: () => performance.now(),
  cpu() {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  },
  run(work, milliseconds) {
    const global = globalThis as { [place]?: (() => void) | undefined };
    global[place] = work;
    try {
      script.runInThisContext({ timeout: Math.max(1, Math.ceil(milliseconds)) });
      return true;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT")) throw error;
      return false;
    } finally {
      global[place] = undefined;
    }
  },
};
