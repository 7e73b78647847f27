import { isUtf8 } from "node:buffer";
import { UserError } from "../../core/util/errors.ts";

/** The lines of an LDIF file as they were before folding (RFC 2849, notes 2 and 3). */

/** A line with its continuations joined. A blank one separates records; comments are left out. */
export interface Line {
  /** The number of the first folded line in the file, from 1. */
  readonly number: number;
  readonly text: string;
}

/** The longest line that is read, in bytes: an attribute value of 24 MB in base64. */
export const lineLimit = 32 * 1024 * 1024;

/** The error of a mistake in the file, at a line. */
export const wrongAt = (file: string, line: number, what: string): UserError =>
  new UserError(`${file}:${line}: ${what}`);

const newline = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const hash = 0x23;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** Reads the lines of a file, or of a part of it that begins on a line, with LF or CRLF at their ends. */
export function* linesOf(content: Uint8Array, file: string, firstLine = 1): Generator<Line> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const allUtf8 = isUtf8(bytes);
  let at = firstLine === 1 && byteOrderMark.every((byte, index) => bytes[index] === byte) ? byteOrderMark.length : 0;
  for (let number = firstLine; at < bytes.length; ) {
    if (bytes[at] === space)
      throw wrongAt(file, number, "begins with a space, but there is no line before it to continue");
    const first = number++;
    let end = endOfLine(bytes, at);
    const goesOn = bytes[end + 1] === space && textEnd(bytes, at, end) > at;
    while (goesOn && bytes[end + 1] === space) {
      end = endOfLine(bytes, end + 1);
      number++;
    }
    if (bytes[at] !== hash) {
      if (end - at > lineLimit) throw wrongAt(file, first, `has ${end - at} bytes, the limit is ${lineLimit}`);
      const line = goesOn ? unfolded(bytes.subarray(at, end)) : bytes;
      const [from, to] = goesOn ? [0, line.length] : [at, textEnd(bytes, at, end)];
      // The whole lines of a UTF-8 file are valid UTF-8: most need no check of their own.
      if ((goesOn || !allUtf8) && !isUtf8(line.subarray(from, to))) {
        throw wrongAt(file, first, "is not UTF-8; write the value in base64, after a double colon");
      }
      yield { number: first, text: printable(line.toString("utf8", from, to), file, first) };
    }
    at = end + 1;
  }
}

function endOfLine(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(newline, from);
  return end < 0 ? bytes.length : end;
}

/** The end of a line's text: a carriage return at the end is part of the newline. */
const textEnd = (bytes: Uint8Array, from: number, end: number): number =>
  end > from && bytes[end - 1] === carriageReturn ? end - 1 : end;

/** Joins folded lines, as bytes, since a fold may split a character. */
function unfolded(lines: Buffer): Buffer {
  const joined = Buffer.allocUnsafe(lines.length);
  let size = 0;
  for (let at = 0; at <= lines.length; ) {
    const end = endOfLine(lines, at);
    size += lines.copy(joined, size, at, textEnd(lines, at, end));
    at = end + 2; // the newline and the space
  }
  return joined.subarray(0, size);
}

function printable(text: string, file: string, number: number): string {
  const control = /[\0\r]/.exec(text);
  if (control) throw wrongAt(file, number, `has ${JSON.stringify(control[0])} in it; write the value in base64`);
  return text;
}
