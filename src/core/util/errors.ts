/** The errors of trigger: outcomes of a run, refusals, and mistakes of a user. */

/**
 * An outcome of `run` or of a plain handler, other than success: an error that says when to try again. `outcome` tells them apart.
 * Any other error counts as a failure that passes: it is tried again after 1, 2, 4 … 30 seconds.
 */
export type Outcome = Away | Fatal | Held | Later;

/**
 * An outcome: trying again cannot help. A run then waits until its rows change, for other code, or for `trigger retry SERVICE`; a message
 * is parked.
 */
export class Fatal extends Error {
  override name = "Fatal";
  /** The kind of outcome. */
  get outcome(): "fatal" {
    return "fatal";
  }
}

/**
 * Thrown by an install whose check refuses the text but still accepts the last good one. The check alone then finds the
 * rows to blame.
 */
export class TextRefused extends Fatal {
  override name = "TextRefused";
}

/** Thrown by an install whose check refuses the text, without a last good text to compare with. */
export class TextDoubted extends Error {
  override name = "TextDoubted";
}

/**
 * Thrown by the methods of `Entry` and `Directory`, and by a `select` of your own. The entry then gives no row, for a
 * reason that an administrator can act on.
 */
export class Refusal extends Error {
  override name = "Refusal";
  /** The columns or attributes that are missing or wrong. A table's `refused` may name them. */
  readonly about: readonly string[];
  /** An error with `message`, the reason for people; `options` may name the columns or attributes that it is about. */
  constructor(message: string, options: RefusalOptions = {}) {
    super(message, options);
    const { about = [] } = options;
    this.about = typeof about === "string" ? [about] : about;
  }
}

/** The options of a `Refusal`. */
export interface RefusalOptions extends ErrorOptions {
  /** The columns or attributes that are missing or wrong; none by default. */
  readonly about?: string | readonly string[];
}

/** The property of a row that `select` gives, with the `Refusal` of this row alone. The entry's other rows are not refused. */
export const refusedBecause = Symbol("refused because");

/** The refusal for an attribute that was not requested from the directory: it says nothing about the entry. */
export class NotRead extends Refusal {
  override name = "NotRead";
}

/** A mistake in the input or configuration of an administrator: shown in one line, without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/** The message of a thrown value, followed by its causes. */
export function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const message = thrown.message || withoutMessage(thrown);
  return thrown.cause === undefined ? message : `${message}: ${reason(thrown.cause)}`;
}

/**
 * The reason of an error whose message is empty. Node throws one for a host with several addresses, such as `localhost`,
 * if none of them answers.
 */
function withoutMessage(error: Error): string {
  const parts = error instanceof AggregateError ? error.errors.map(reason) : [];
  return [...new Set(parts)].join("; ") || error.name;
}

/** An outcome: the run failed for now, and is tried again, not sooner than after `after` milliseconds. */
export class Later extends Error {
  override name = "Later";
  /** The least wait, in milliseconds. */
  readonly after: number;
  /** An error with `message` and the least wait `after`; `options` may have its `cause`. */
  constructor(message: string, after: number, options?: ErrorOptions) {
    super(message, options);
    this.after = after;
  }
  /** The kind of outcome. */
  get outcome(): "later" {
    return "later";
  }
}

/** An outcome: the daemon does not answer. It is asked again each half second until it does, because asking costs little. */
export class Away extends Error {
  override name = "Away";
  /** The kind of outcome. */
  get outcome(): "away" {
    return "away";
  }
}

/** An outcome: the run waits until a person approves what it would replace (`trigger approve SERVICE DIGEST`). */
export class Held extends Error {
  override name = "Held";
  /** The kind of outcome. */
  get outcome(): "held" {
    return "held";
  }
}

/** Thrown by `host.ask` and `host.tell`: a command ended with an exit code other than 0. A run that lets it pass is tried again. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
  /** The exit code. */
  readonly code: number;
  // Hidden where the error is printed: only the message is known to contain no secrets.
  readonly #said: { readonly stdout: string; readonly stderr: string };
  /** An error with `message` and the exit code `code`; `output` is the entire output of the command. */
  constructor(message: string, code: number, output: { readonly stdout?: string; readonly stderr?: string } = {}) {
    super(message);
    this.code = code;
    this.#said = { stdout: output.stdout ?? "", stderr: output.stderr ?? "" };
  }

  /** The whole standard output; the message has the beginning. */
  get stdout(): string {
    return this.#said.stdout;
  }

  /** The whole standard error; the message has the beginning. */
  get stderr(): string {
    return this.#said.stderr;
  }
}
