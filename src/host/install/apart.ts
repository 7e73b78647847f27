import type { Files } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { isShared } from "./shared.ts";
import type { Stuck } from "./target.ts";

/** Files in folders of others that stay as they are: they must keep the rest of an install neither waiting nor out of force. */

/** In one install so many files may be found to stay, one after the other; more are a fault of the machine. */
const most = 100;

/** Thrown in an install of which one file cannot be handled: nothing is in place yet, or what was is back. */
class Stays extends Error {
  override name = "Stays";
  readonly path: string;
  constructor(path: string, options: ErrorOptions) {
    super(`${path} cannot be handled`, options);
    this.path = path;
  }
}

/** True of an error that ends an attempt only so that another one follows without the file. */
export const isStays = (error: unknown): boolean => error instanceof Stays;

/** Does a piece of work on one file. Where it fails and others may have done it, that file is what stays. */
export async function orStays<T>(files: Files, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isTheirs = await isShared(files, path).catch(() => true); // it cannot be looked at for what they did
    throw isTheirs ? new Stays(path, { cause: error }) : error;
  }
}

/** Installs what it can, with `all`: again without each file that stays. Otherwise the files are one whole. */
export async function withoutStuck<T>(all: boolean, attempt: (stuck: readonly Stuck[]) => Promise<T>): Promise<T> {
  const stuck: Stuck[] = [];
  for (;;) {
    try {
      return await attempt(stuck);
    } catch (error) {
      if (!(error instanceof Stays)) throw error;
      if (!all || stuck.length === most || stuck.some(({ path }) => path === error.path)) throw error.cause;
      stuck.push({ path: error.path, why: reason(error.cause) });
    }
  }
}

/** The sentence about files that stay, with what to type. */
export function sayStuck(stuck: readonly Stuck[]): string {
  const said = stuck.slice(0, 5).map(({ path, why }) => `${path} (${why})`);
  const more = stuck.length > 5 ? [`and ${stuck.length - 5} more`] : [];
  const [first] = stuck;
  return `cannot be replaced or removed: ${[...said, ...more].join("; ")}. All else is applied. \`namei -l ${first?.path}\` and \`lsattr -d ${first?.path}\` show what is in the way: move it away. It is tried again by itself`;
}
