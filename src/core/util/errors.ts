/** How a piece of work can end other than well: later, refused, or for a person to look at. */

/** Thrown by `run` or a plain handler: trying again cannot help, so the work is parked for a person. */
export class Fatal extends Error {
  override name = "Fatal";
}

/** Thrown by an install whose check refuses the text, and passes the last good one now. Which rows are to blame is then found with the check alone. */
export class TextRefused extends Fatal {
  override name = "TextRefused";
}

/** The same where there is no last good text to compare with. */
export class TextDoubted extends Error {
  override name = "TextDoubted";
}

/** Thrown by the words of `select`: this entry gives no row, for a reason that an administrator can act upon. */
export class Refusal extends Error {
  override name = "Refusal";
}

/** The property by which one of the rows that `select` gives says why it is refused. The entry's other rows are not. */
export const refusedBecause = Symbol("refused because");

/** The same where the attribute was never asked of the directory: it says nothing of the entry. */
export class NotRead extends Refusal {
  override name = "NotRead";
}

/** An error of what an administrator wrote or typed: said in one line, without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/** The message of anything that was thrown, its causes behind it. */
export function reason(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause === undefined ? thrown.message : `${thrown.message}: ${reason(thrown.cause)}`;
}

/** Thrown in a run that failed for now: try again, but not sooner than this many milliseconds. */
export class Later extends Error {
  override name = "Later";
  readonly after: number;
  constructor(message: string, after: number, options?: ErrorOptions) {
    super(message, options);
    this.after = after;
  }
}

/** Thrown in a run whose daemon does not answer: tried again at once when it is back, and meanwhile often, because asking costs little. */
export class Away extends Error {
  override name = "Away";
}

/** Thrown in a run that must not go on before a person has looked (`trigger approve`). */
export class Held extends Error {
  override name = "Held";
}

/** Thrown by `host.ask` and `host.tell`: a command ended with another code than 0. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
  readonly code: number;
  // Not shown where the error is printed: only the message is known to be without secrets.
  readonly #said: { readonly stdout: string; readonly stderr: string };
  constructor(message: string, code: number, { stdout = "", stderr = "" } = {}) {
    super(message);
    this.code = code;
    this.#said = { stdout, stderr };
  }

  /** All that it said; the message has the beginning. */
  get stdout(): string {
    return this.#said.stdout;
  }

  get stderr(): string {
    return this.#said.stderr;
  }
}
