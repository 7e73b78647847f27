import { type BerReader, enumerated } from "../../core/util/ber.ts";

/** The tags of the answers that are read (RFC 4511, 4). */
export const answers = {
  bind: 0x61,
  entry: 0x64,
  done: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  rename: 0x6d,
  reference: 0x73,
  extended: 0x78,
  intermediate: 0x79,
} as const;

/** A server's answer that is not success. */
export class ResultError extends Error {
  override name = "ResultError";
  /** The result code (RFC 4511, appendix A). */
  readonly code: number;
  constructor(code: number, diagnostic: string) {
    super(diagnostic);
    this.code = code;
  }
}

/**
 * Throws for a message that does not answer its request. An extended response becomes a `ResultError`: Samba sends one
 * for an unknown critical control, and no other answer.
 */
export function refuseAnswer({ operation, body }: { readonly operation: number; readonly body: BerReader }): never {
  if (operation === answers.extended) readResult(body);
  throw new Error(`the server sent another message than the answer: operation 0x${operation.toString(16)}`);
}

/** Reads the result at the head of an answer; throws a `ResultError` unless it is success. */
export function readResult(body: BerReader): void {
  const code = body.integer("a result", enumerated);
  body.text("the DN of a result");
  const diagnostic = body.text("the text of a result");
  // The text comes from the server and goes to the log: it is made printable, in one line.
  if (code !== 0)
    throw new ResultError(
      code,
      diagnostic
        .replace(/[^\x20-\x7e]+/g, " ")
        .trim()
        .slice(0, 300),
    );
}
