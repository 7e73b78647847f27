import type { Asked, Files, Output } from "../core/service/host-api.ts";

/** The mark of a daemon's present incarnation. */
export type DaemonIdentity = { readonly unit: string } | { readonly pidFile: string };

/** The machine under a host: its files, its commands, and which life of it this is. */
export interface Machine {
  /** True if changes really happen; a dry machine only notes them. */
  readonly dry: boolean;
  readonly files: Files;
  /** A folder for short-lived copies, made on use. No other user may write on the way to it. */
  readonly scratch: string;
  /**
   * Runs a command to its end and gives its output, whatever its exit code; 127 if there is no such program. Of a
   * socket it gives the daemon's answer, and throws `Away` if no daemon answers. At its deadline (milliseconds) or the
   * signal its whole process group is killed and the call throws. `changes` marks a command that changes something: a
   * dry machine notes it and answers 0.
   */
  run(asked: Asked, options: RunOptions): Promise<Output>;
  /** A text that differs after every boot, and after every restart of the daemon when one is named; undefined when it cannot be known. */
  incarnation(daemon?: DaemonIdentity): Promise<string | undefined>;
}

export interface RunOptions {
  readonly changes: boolean;
  readonly input?: string;
  /** The changes that it makes, in lines: a dry machine notes them beside it. */
  readonly shown?: readonly string[];
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly deadline: number;
}
