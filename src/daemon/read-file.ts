import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { UserError } from "../core/util/errors.ts";
import { endsLine, mustBeRegular, unfinished, unwaiting } from "../directories/ldif/settled-file.ts";

/**
 * The bytes of a file that an administrator named, in the config by `option`. A file of the config must be regular:
 * the wait for a pipe would be silent. The operand of a command may be a pipe, as `<(ldapsearch …)` of a shell is.
 */
export function readFile(file: string, option?: string, { piped = option === undefined } = {}): Buffer {
  try {
    return piped ? readFileSync(file) : readRegular(file).bytes;
  } catch (error) {
    throw new UserError(`${option === undefined ? "" : `${option}: `}${(error as Error).message}`);
  }
}

/** The bytes and the mode of a regular file. Throws for another kind of file, and never waits for a writer. */
export function readRegular(file: string): { readonly bytes: Buffer; readonly mode: number } {
  mustBeRegular(file, statSync(file)); // a socket cannot be opened at all
  const opened = openSync(file, unwaiting);
  try {
    const found = fstatSync(opened);
    mustBeRegular(file, found);
    return { bytes: readFileSync(opened), mode: found.mode };
  } finally {
    closeSync(opened);
  }
}

/** The bytes of an LDIF file. Throws a `UserError` if its last line is cut off: a cut-off file is a smaller directory. */
export function readLdif(file: string, option?: string): Uint8Array {
  const bytes = readFile(file, option);
  if (!endsLine(bytes)) throw new UserError(unfinished(file));
  return bytes;
}
