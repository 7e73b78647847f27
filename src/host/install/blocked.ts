import type { Files } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { isShared } from "./shared.ts";
import type { BlockedFile } from "./target.ts";

/**
 * Files that stay as they are because another user blocks them in a shared folder. They must not keep the rest of an
 * install waiting.
 */

/** The most blocked files that one install finds, one after the other; more are a fault of the machine. */
const most = 100;

/**
 * Thrown by an install with a file that cannot be handled: no file is in place yet, or the earlier files are restored.
 */
class Blocked extends Error {
  override name = "Blocked";
  readonly path: string;
  constructor(path: string, options: ErrorOptions) {
    super(`${path} cannot be handled`, options);
    this.path = path;
  }
}

/** True for an error that ends an attempt only to start another one without the file. */
export const isBlocked = (error: unknown): boolean => error instanceof Blocked;

/** Runs work on one file. If it fails and other users may be the cause, that file is blocked. */
export async function orBlocked<T>(files: Files, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isTheirs = await isShared(files, path).catch(() => true); // the path cannot be examined because of them
    throw isTheirs ? new Blocked(path, { cause: error }) : error;
  }
}

/** Installs what it can, with `all`: it tries again without each blocked file. Otherwise the files are one whole. */
export async function withoutBlocked<T>(
  all: boolean,
  attempt: (blocked: readonly BlockedFile[]) => Promise<T>,
): Promise<T> {
  const blocked: BlockedFile[] = [];
  for (;;) {
    try {
      return await attempt(blocked);
    } catch (error) {
      if (!(error instanceof Blocked)) throw error;
      if (!all || blocked.length === most || blocked.some(({ path }) => path === error.path)) throw error.cause;
      blocked.push({ path: error.path, why: reason(error.cause) });
    }
  }
}

/** The sentence about blocked files, with the commands to type. */
export function sayBlocked(blocked: readonly BlockedFile[]): string {
  const said = blocked.slice(0, 5).map(({ path, why }) => `${path} (${why})`);
  const more = blocked.length > 5 ? [`and ${blocked.length - 5} more`] : [];
  const [first] = blocked;
  return `cannot be replaced or removed: ${[...said, ...more].join("; ")}. Everything else is applied. \`namei -l ${first?.path}\` and \`lsattr -d ${first?.path}\` show what blocks it: move that away. trigger then tries again by itself`;
}
