import { readFileSync, statSync } from "node:fs";
import { UserError } from "../core/outcome.ts";
import { endsLine, mustBeRegular, unfinished, unwaiting } from "../directories/ldif/still.ts";

/**
 * The bytes of a file that an administrator named, in the config by `option`. One of the config must be a regular file:
 * a pipe would be waited for without a word. The operand of a command may be one, as `<(ldapsearch …)` of a shell is.
 */
export function readFile(file: string, option?: string): Uint8Array {
  try {
    if (option === undefined) return readFileSync(file);
    mustBeRegular(file, statSync(file));
    return readFileSync(file, { flag: unwaiting });
  } catch (error) {
    throw new UserError(`${option === undefined ? "" : `${option}: `}${(error as Error).message}`);
  }
}

/** The bytes of an LDIF file. One whose last line is not whole is refused, as the transcriber does: a cut-off file is a smaller directory. */
export function readLdif(file: string, option?: string): Uint8Array {
  const bytes = readFile(file, option);
  if (!endsLine(bytes)) throw new UserError(unfinished(file));
  return bytes;
}
