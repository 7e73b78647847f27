import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { Files, Stat } from "../../core/service/host-api.ts";
import { othersMayReplace } from "../../core/service/trust.ts";
import { me } from "./shared.ts";

/**
 * The present content of a path. In a folder that others may write to, it may be anything: it is described, and never
 * followed or opened.
 */

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The file, or other thing, at a path. */
export interface InPlace {
  /** The content; a descriptive line if it is not a readable file. */
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly stat: Stat;
  /** A description, if another user put something other than a file there: `a symlink to /etc/x (uid 1000)`. */
  readonly odd?: string;
}

/** The largest foreign file that is read, in bytes: a larger one would exhaust the memory of this process. */
const largest = 64 * 1024 * 1024;

/** True if a file may not be opened now: its owner holds a lease on it (fcntl(2)), and may renew that for ever. */
const isLeased = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "EAGAIN";

/** The real path of a file. A symlink at its end is followed unless other users may have put it there. */
export async function placeOf(files: Files, path: string): Promise<string> {
  const at = join(await files.resolve(dirname(path)), basename(path));
  const stat = await files.stat(at);
  if (stat?.kind !== "symlink" || (await isPlacedByOthers(files, at, stat))) return at;
  return files.resolve(path);
}

/**
 * Reads the present content of a real path; undefined if there is none. Throws if it is not a file and only root or
 * this user can have put it there.
 */
export async function readInPlace(files: Files, path: string): Promise<InPlace | undefined> {
  const stat = await files.stat(path);
  if (!stat) return undefined;
  const isFile = stat.kind === "file";
  if ((!isFile || stat.size > largest) && (await isPlacedByOthers(files, path, stat))) return oddity(files, path, stat);
  if (!isFile) throw new Error(`${path} is not a file but a ${stat.kind}: nothing can be installed there`);
  try {
    const bytes = await files.read(path);
    return bytes && { bytes, hash: hashOf(bytes), stat };
  } catch (error) {
    if (!(await isPlacedByOthers(files, path, stat)) || !isLeased(error)) throw error;
    return oddity(files, path, stat);
  }
}

/** True if users other than root and this one may have put the file at a real path. */
export async function isPlacedByOthers(files: Files, path: string, stat: Stat): Promise<boolean> {
  const folder = await files.stat(dirname(path));
  return folder !== undefined && othersMayReplace(folder, stat, me());
}

async function oddity(files: Files, path: string, stat: Stat): Promise<InPlace> {
  const kinds = {
    symlink: `a symlink to ${(await files.readLink(path)) ?? "nothing"}`,
    directory: "a directory",
    file: `a file of ${stat.size} bytes`,
    other: "neither a file nor a directory",
  };
  const odd = `${kinds[stat.kind]} (uid ${stat.uid})`;
  // No text has this hash: only descriptions are hashed after a zero byte.
  return { bytes: Buffer.from(`${odd}\n`), hash: hashOf(Buffer.from(`\0odd ${odd}`)), stat, odd };
}
