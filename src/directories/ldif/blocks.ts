/** The lines between blank lines: a record, or comments alone. */
export interface Block {
  readonly bytes: Buffer;
  /** The number of the first line in the file, from 1. */
  readonly line: number;
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Cuts a file at its blank lines, with LF or CRLF at their ends. The lines between them are not parsed. */
export function* blocksOf(content: Uint8Array): Generator<Block> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  let start = 0;
  let startLine = 1;
  let line = 1;
  for (let at = 0; at < bytes.length; line++) {
    const found = bytes.indexOf(newline, at);
    const end = found < 0 ? bytes.length : found;
    const blank = end === at || (end === at + 1 && bytes[at] === carriageReturn);
    if (blank) {
      if (at > start) yield { bytes: bytes.subarray(start, at), line: startLine };
      start = end + 1;
      startLine = line + 1;
    }
    at = end + 1;
  }
  if (start < bytes.length) yield { bytes: bytes.subarray(start), line: startLine };
}
