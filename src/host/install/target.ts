import { randomBytes } from "node:crypto";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Files, InstallFile } from "../../core/service/host-api.ts";
import { Fatal, reason } from "../../core/util/errors.ts";
import { hashOf, type InPlace, placeOf, readInPlace } from "./in-place.ts";

/** A file to install, with the present content of its place. */
export interface Target {
  readonly file: InstallFile;
  /** The real path: symlinks are resolved. */
  readonly path: string;
  readonly bytes: Buffer;
  /** Hash of the text to install; null for a file to remove. */
  readonly hash: string | null;
  readonly disk: InPlace | undefined;
}

/** The targets of some files, and the reasons why others cannot be read. */
export interface ReadTargets {
  readonly targets: Target[];
  readonly blocked: BlockedFile[];
}

/** A file that stays as it is, because another user's change of its folder or its place conflicts. */
export interface BlockedFile {
  readonly path: string;
  readonly why: string;
}

/**
 * Reads the present content of the files' places. Throws for a path that cannot be installed; with `skipUnreadable`, those that
 * cannot be read are set aside.
 */
export async function readTargets(
  files: Files,
  wanted: readonly InstallFile[],
  { skipUnreadable = false } = {},
): Promise<ReadTargets> {
  const targets: Target[] = [];
  const blocked: BlockedFile[] = [];
  for (const file of wanted) {
    if (!isAbsolute(file.path)) throw new Fatal(`a file to install needs an absolute path, found "${file.path}"`);
    try {
      const path = await placeOf(files, file.path);
      if (targets.some((target) => target.path === path))
        throw new Fatal(`${file.path} is listed twice in one install`);
      const bytes = Buffer.from(file.text);
      targets.push({ file, path, bytes, hash: hashOf(bytes), disk: await readInPlace(files, path) });
    } catch (error) {
      if (!skipUnreadable || error instanceof Fatal) throw error;
      blocked.push({ path: file.path, why: reason(error) });
    }
  }
  return { targets, blocked };
}

/** A target for a file to remove. */
export const removalTarget = (path: string, disk: InPlace | undefined): Target => ({
  ...{ file: { path, text: "" }, path, bytes: Buffer.alloc(0), hash: null, disk },
});

/**
 * The mode and owner of a new file: those of the existing one. With secret columns the mode is never wider than 0600.
 */
export function modeAndOwner({ file, disk }: Target, secret: boolean): { mode: number; uid?: number; gid?: number } {
  // A thing in place that is not a file sets no mode: a symlink may be writable by all.
  const had = disk?.odd === undefined ? disk?.stat : undefined;
  const mode = had?.mode ?? file.mode ?? 0o644;
  const owner = had ? { uid: had.uid, gid: had.gid } : file.owner;
  return { mode: secret ? mode & 0o600 : mode, ...owner };
}

/**
 * The folder of staged files, last good ones and those kept aside: on the same file system, and hidden from globs such
 * as `*.conf`.
 */
export const folderOf = (path: string): string => join(dirname(path), ".trigger");

/** The beginning of names in that folder: the file's own name for people, its path for trigger. */
export const tagOf = (path: string): string =>
  `${basename(path).slice(0, 60)}.${hashOf(Buffer.from(path)).slice(0, 8)}`;

/** The kinds of files that an install writes beside its targets. */
export type Kind = "staged" | "good" | "aside";

/** A new name of a kind for a path, in a folder; it cannot be guessed. */
export const newName = (folder: string, path: string, kind: Kind, infix = ""): string =>
  join(folder, `${tagOf(path)}.${kind}.${infix}${randomBytes(6).toString("hex")}`);
