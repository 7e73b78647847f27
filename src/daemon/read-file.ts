import { readFileSync } from "node:fs";
import { UserError } from "../core/outcome.ts";
import { endsLine, unfinished } from "../directories/ldif/still.ts";

/** The bytes of a file that an administrator named, in the config by `option`. */
export function readFile(file: string, option?: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`${option === undefined ? "" : `${option}: `}${(error as Error).message}`);
  }
}

/** The bytes of an LDIF file. One whose last line is not whole is refused, as the transcriber does: a cut-off file is a smaller directory. */
export function readLdif(file: string): Uint8Array {
  const bytes = readFile(file);
  if (!endsLine(bytes)) throw new UserError(unfinished(file));
  return bytes;
}
