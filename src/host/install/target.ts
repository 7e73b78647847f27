import { createHash } from "node:crypto";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Files, InstallFile, Stat } from "../../core/host.ts";
import { Fatal } from "../../core/outcome.ts";

/** A file to install, beside what is in its place now. */
export interface Target {
  readonly file: InstallFile;
  /** The real path: symlinks are resolved. */
  readonly path: string;
  readonly bytes: Buffer;
  /** Hash of the text to install; null for a file that is to be removed. */
  readonly hash: string | null;
  readonly disk: InPlace | undefined;
}

/** A file as it was found. */
export interface InPlace {
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly stat: Stat;
}

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Reads what is in the place of the files; throws for a path that cannot be installed. */
export async function readTargets(files: Files, wanted: readonly InstallFile[]): Promise<Target[]> {
  const targets: Target[] = [];
  for (const file of wanted) {
    if (!isAbsolute(file.path)) throw new Fatal(`a file to install needs an absolute path, found "${file.path}"`);
    const path = await files.resolve(file.path);
    if (targets.some((target) => target.path === path)) throw new Fatal(`${file.path} is twice in one install`);
    const bytes = Buffer.from(file.text);
    targets.push({ file, path, bytes, hash: hashOf(bytes), disk: await readInPlace(files, path) });
  }
  return targets;
}

/** A file that is to be removed. */
export const leavingTarget = (path: string, disk: InPlace | undefined): Target => ({
  ...{ file: { path, text: "" }, path, bytes: Buffer.alloc(0), hash: null, disk },
});

/** What is at a path now; undefined for nothing. */
export async function readInPlace(files: Files, path: string): Promise<InPlace | undefined> {
  const stat = await files.stat(path);
  if (!stat) return undefined;
  if (stat.kind !== "file") throw new Error(`${path} is not a file but a ${stat.kind}: nothing can be installed there`);
  const bytes = await files.read(path);
  return bytes && { bytes, hash: hashOf(bytes), stat };
}

/** What a new file gets: an existing one's owner and mode; in a service with secrets it is never wider than 0600. */
export function ownedBy({ file, disk }: Target, secret: boolean): { mode: number; uid?: number; gid?: number } {
  const mode = disk?.stat.mode ?? file.mode ?? 0o644;
  const owner = disk ? { uid: disk.stat.uid, gid: disk.stat.gid } : file.owner;
  return { mode: secret ? mode & 0o600 : mode, ...owner };
}

/** Where staged files, last good ones and those kept aside are: on the same file system, and hidden from globs as `*.conf`. */
export const folderOf = (path: string): string => join(dirname(path), ".trigger");

/** What names in that folder begin with: for people the file's own name, for trigger its path. */
export const tagOf = (path: string): string =>
  `${basename(path).slice(0, 60)}.${hashOf(Buffer.from(path)).slice(0, 8)}`;
