import type { Asked, Files, Output } from "../core/service/host-api.ts";

/** The daemon whose incarnation is requested: a unit of systemd, or a file with its process id. */
export type DaemonIdentity = { readonly unit: string } | { readonly pidFile: string };

/** The machine under a host: its files, its commands, and the present incarnation of the machine and its daemons. */
export interface Machine {
  /** True if changes are really made; a dry machine only records them. */
  readonly dry: boolean;
  /** The file system. */
  readonly files: Files;
  /** A folder for short-lived copies, created when used. No other user may write in it or in a folder above it. */
  readonly scratch: string;
  /**
   * A folder for copies that are kept of files where other users may write, created when used. No other user may write
   * in it or in a folder above it.
   */
  readonly kept: string;
  /**
   * Runs the command `asked` to its end and returns its output, at any exit code; 127 if there is no such program. For
   * a socket it returns the daemon's answer. At the deadline or the signal the whole process group is killed.
   *
   * @throws `Away` if no daemon answers; an error at the deadline or the signal.
   */
  run(asked: Asked, options: RunOptions): Promise<Output>;
  /**
   * A text that differs after every boot, and after every restart of `daemon` if one is named; undefined if it cannot
   * be read.
   */
  incarnation(daemon?: DaemonIdentity): Promise<string | undefined>;
}

/** The options of a machine's `run`. */
export interface RunOptions {
  /** True for a command that changes something: a dry machine records it and answers 0. */
  readonly changes: boolean;
  /** The standard input, or the text for the socket. */
  readonly input?: string;
  /** Lines that describe the change: a dry machine records them beside the command. */
  readonly shown?: readonly string[];
  /** Ends the command when it aborts. */
  readonly signal?: AbortSignal;
  /** The time limit in milliseconds. */
  readonly deadline: number;
}
