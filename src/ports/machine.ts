import type { Asked, Files, Output } from "../core/service/host-api.ts";

/** The daemon whose incarnation is asked for: a unit of systemd, or a file with its process id. */
export type DaemonIdentity = { readonly unit: string } | { readonly pidFile: string };

/** The machine under a host: its files, its commands, and which life of it this is. */
export interface Machine {
  /** True if changes really happen; a dry machine only notes them. */
  readonly dry: boolean;
  /** The file system. */
  readonly files: Files;
  /** A folder for short-lived copies, made on use. No other user may write on the way to it. */
  readonly scratch: string;
  /**
   * Runs the command `asked` to its end and gives its output, at any exit code; 127 if there is no such program. Of a
   * socket it gives the daemon's answer. At the deadline or the signal its whole process group is killed.
   *
   * @throws `Away` if no daemon answers; an error at the deadline or the signal.
   */
  run(asked: Asked, options: RunOptions): Promise<Output>;
  /** A text that differs after every boot, and after every restart of `daemon` if one is named; undefined if it cannot be known. */
  incarnation(daemon?: DaemonIdentity): Promise<string | undefined>;
}

/** The options of a machine's `run`. */
export interface RunOptions {
  /** True for a command that changes something: a dry machine notes it and answers 0. */
  readonly changes: boolean;
  /** The standard input, or the text for the socket. */
  readonly input?: string;
  /** The changes that it makes, in lines: a dry machine notes them beside it. */
  readonly shown?: readonly string[];
  /** Ends the command at its abort. */
  readonly signal?: AbortSignal;
  /** The time limit in milliseconds. */
  readonly deadline: number;
}
