import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { resolve as absolute, join, posix } from "node:path";
import type { Stat } from "../core/service/host-api.ts";
import { othersMayReplace, ownerShown } from "../core/service/trust.ts";

/**
 * The walk to a path, one name after the other. A symlink that other users may have put there is not followed. This
 * process may be root, and they would choose the files that it reads and writes. From the first folder in which others
 * may replace something, names are looked up through an open descriptor of their folder. Thus a rename meanwhile leads
 * to no other place.
 */

/** The end of a walk; call `close` after the last operation on `at`. */
export interface Place {
  /** The path with every symlink resolved. */
  readonly real: string;
  /**
   * The same place for an operation now, which must not follow a symlink there. Throws if the folder that would hold it
   * is missing.
   */
  readonly at: string;
  /** The place of the first missing name; that of `at` if none is missing. */
  readonly first: string;
  /** The status of the file or folder; undefined if it, or the folder that would hold it, is missing. */
  readonly stat: Stat | undefined;
  /** The number of missing names at the end of the path. */
  readonly missing: number;
  /** Device and inode of what was found; undefined if nothing was. */
  readonly id: string | undefined;
  /** The status of the folder that holds the last name. */
  readonly within: Stat;
  /** True if other users may replace the file or folder, or the way to it. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/** open(2): the descriptor names a place and reads nothing. Node has no name for it; the value is that of every Linux. */
export const O_PATH = 0o10000000;
const folderOnly = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const turnLimit = 40;

/**
 * Walks to a path. A symlink at its very end is followed or, with `last: "keep"`, is itself the result. Throws for a
 * symlink that other users may have put there.
 */
export async function walk(path: string, { last }: { last: "follow" | "keep" }): Promise<Place> {
  let names = namesOf(absolute(path));
  let folder = await openFolder("/");
  try {
    for (let turns = 0; names.length > 0; ) {
      const [name = "", ...rest] = names;
      const at = join(folder.at, name);
      const real = join(folder.real, name);
      const found = await unlessMissing(fs.lstat(at));
      const stat = found && statOf(found);
      if (!stat || (rest.length > 0 && stat.kind !== "directory" && stat.kind !== "symlink"))
        return missing(folder, names);
      if (stat.kind === "symlink" && (rest.length > 0 || last === "follow")) {
        if (othersMayReplace(folder.stat, stat, me())) throw new Error(whyNot(real, stat, folder));
        turns += 1;
        if (turns > turnLimit) throw loop(path);
        names = [...namesOf(absolute(folder.real, await fs.readlink(at))), ...rest];
        await folder.close();
        folder = await openFolder("/");
        continue;
      }
      if (rest.length === 0) {
        const shared = folder.shared || othersMayReplace(folder.stat, stat, me());
        const { stat: within, close } = folder;
        return { real, at, first: at, stat, missing: 0, id: idOf(found), within, shared, close };
      }
      const inside = await unlessMissing(openFolder(real, { at, stat, within: folder }));
      if (!inside) return missing(folder, names);
      await folder.close();
      folder = inside;
      names = rest;
    }
    const { stat, close } = folder;
    return { real: "/", at: "/", first: "/", stat, missing: 0, id: undefined, within: stat, shared: false, close };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** A place below a folder that is not there. */
function missing(folder: Folder, names: readonly string[]): Place {
  const [first, real] = [join(folder.at, names[0] ?? ""), join(folder.real, ...names)];
  const shared = folder.shared || othersMayReplace(folder.stat, undefined, me());
  return {
    ...{ real, first, stat: undefined, missing: names.length, id: undefined },
    ...{ within: folder.stat, shared, close: folder.close },
    get at() {
      if (names.length === 1) return first;
      // Never a path of several names: folders created meanwhile were not inspected.
      throw Object.assign(new Error(`ENOENT: no such file or directory, '${real}'`), { code: "ENOENT", path: real });
    },
  };
}

interface Folder {
  readonly real: string;
  /** The path to which names are appended. */
  readonly at: string;
  readonly stat: Stat;
  /** True if other users may replace a folder on the way to this one, or may put a file in one of them. */
  readonly open: boolean;
  /** True if other users may replace this folder, or one on the way to it. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/** A folder on the way: by its path if no other user may change the way, otherwise by a descriptor. */
async function openFolder(real: string, on?: { at: string; stat: Stat; within: Folder }): Promise<Folder> {
  const { at = real, stat = await rootStat(), within } = on ?? {};
  const shared = within !== undefined && (within.shared || othersMayReplace(within.stat, stat, me()));
  if (!within?.open && !othersMayReplace(stat, undefined, me()))
    return { real, at, stat, open: false, shared, close: nothing };
  const handle = await fs.open(at, folderOnly);
  try {
    return {
      real,
      at: `/proc/self/fd/${handle.fd}`,
      stat: statOf(await handle.stat()),
      open: true,
      shared,
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const nothing = async (): Promise<void> => {};

async function rootStat(): Promise<Stat> {
  return statOf(await fs.lstat("/"));
}

/** Device and inode: two names with the same are one file. */
export const idOf = ({ dev, ino }: Awaited<ReturnType<typeof fs.lstat>>): string => `${dev}:${ino}`;

export function statOf(found: Awaited<ReturnType<typeof fs.lstat>>): Stat {
  const kinds = { file: found.isFile(), directory: found.isDirectory(), symlink: found.isSymbolicLink() };
  const kind = (["file", "directory", "symlink"] as const).find((each) => kinds[each]) ?? "other";
  const [mode, uid, gid, size] = [found.mode, found.uid, found.gid, found.size].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { kind, mode: mode & 0o7777, uid, gid, size };
}

/** The result, or undefined if the path is missing: no such name, or a file in place of a directory. */
export async function unlessMissing<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function whyNot(link: string, stat: Stat, folder: Folder): string {
  const who = `root or uid ${me()}`;
  return `${link} is a symlink (uid ${stat.uid}) in ${folder.real} (${ownerShown(folder.stat)}), where others than ${who} may put one: it is not followed. Name the file it leads to, or let root alone write that folder`;
}

const loop = (path: string): Error =>
  Object.assign(new Error(`ELOOP: too many symlinks, resolve '${path}'`), { code: "ELOOP", path });

const namesOf = (path: string): string[] => posix.normalize(path).split("/").filter(Boolean);

export const me = (): number => process.geteuid?.() ?? 0;
