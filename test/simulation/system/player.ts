import type { Break } from "./breaks.ts";
import { play } from "./play.ts";

/** A process that plays the seeds that it receives, one after the other; players.ts starts it. */

export interface Order {
  readonly seed: number;
  readonly without: Break | undefined;
}

/** The result of a schedule. */
export interface Report {
  readonly seed: number;
  readonly violation: { readonly promise: string; readonly message: string } | undefined;
  /** The last log lines, if a promise was broken. */
  readonly log: readonly string[];
}

const shown = 60;

// Stacks of the errors that the world makes on purpose cost more than all else.
Error.stackTraceLimit = 0;
process.on("message", async ({ seed, without }: Order) => {
  const { violation, log } = await play(seed, without);
  const report: Report = {
    seed,
    violation: violation && { promise: violation.promise, message: violation.message },
    log: violation ? log.slice(-shown) : [],
  };
  process.send?.(report);
});
