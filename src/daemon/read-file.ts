import { readFileSync } from "node:fs";
import { UserError } from "../core/outcome.ts";

/** The bytes of a file that an administrator named, in the config by `option`. */
export function readFile(file: string, option?: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`${option === undefined ? "" : `${option}: `}${(error as Error).message}`);
  }
}
