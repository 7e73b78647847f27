import { readFileSync } from "node:fs";
import { UserError } from "../core/outcome.ts";

/** The bytes of a file that an administrator named. */
export function readFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}
