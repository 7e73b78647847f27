import { unknown } from "./nearest.ts";
import { shown } from "./shown.ts";

/** What the config says of who may tell hosts of rows. File names are relative to the config. */
export interface Signing {
  /** A transcriber's secret key, made by `trigger key FILE`; each machine that transcribes has its own, or all the same. */
  readonly key: string;
  /** The public keys that hosts believe, each in base64, or a file with one a line; left out, hosts take what is signed and what is not. */
  readonly trust?: readonly string[];
}

const options = ["key", "trust"];
const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

/** What is wrong with `signing`; undefined when nothing is. */
export function wrongSigning(signing: Readonly<Record<string, unknown>>): string | undefined {
  for (const option of Object.keys(signing)) {
    if (!options.includes(option)) return unknown("option of signing", option, options);
  }
  const { key, trust } = signing;
  if (key === undefined) return "signing.key is missing: a file, which `trigger key FILE` makes";
  if (!isText(key)) return `signing.key: expected the name of a file, found ${shown(key)}`;
  if (trust === undefined) return undefined;
  if (Array.isArray(trust) && trust.length > 0 && trust.every(isText)) return undefined;
  return `signing.trust: expected a list of public keys and files, found ${shown(trust)}`;
}
