import { z } from "zod";
import { expected, options, text } from "./options.ts";

/** Keys that sign messages about rows, and keys that hosts trust. Names of files are relative to the config. */
export interface Signing {
  /** A file with a transcriber's secret key, made by `trigger key FILE`. Transcribers may share one. */
  readonly key: string;
  /**
   * Public keys that hosts trust: each in base64, or a file with one a line. Left out, hosts take unsigned rows too.
   */
  readonly trust?: readonly string[];
}

/** The schema of `signing`. */
export const signingSchema = options<Signing>({
  key: expected("the name of a file", text, "a file, which `trigger key FILE` makes"),
  trust: expected("a list of public keys and files", z.array(text).min(1)).optional(),
});
