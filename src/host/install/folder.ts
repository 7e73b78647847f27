import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Files, Stat } from "../../core/host.ts";
import { reason } from "../../core/outcome.ts";
import { isTrusted, ownerShown } from "../../core/trust.ts";
import { me } from "./shared.ts";
import { folderOf, type InPlace, tagOf } from "./target.ts";

/** The `.trigger` folder beside a target: what is staged, the last good file, and what was kept aside. */

type Kind = "staged" | "good" | "aside";

/** Of files kept aside, so many are kept per path. */
const asidesKept = 10;

/** A name that nobody can guess and that was never used, of a kind, in the folder of a path. */
const newName = (path: string, kind: Kind, infix = ""): string =>
  join(folderOf(path), `${tagOf(path)}.${kind}.${infix}${randomBytes(6).toString("hex")}`);

/** Makes sure that the folder of a path is there, durably, with every directory above it. */
export async function openFolder(files: Files, path: string): Promise<void> {
  const folder = folderOf(path);
  const found = await files.stat(folder);
  if (found) return ownFolder(files, folder, found);
  const directory = dirname(path);
  await files.makeDirectory(directory);
  // Also those that exist: a process that died may have made them and no more. Once the folder is there all of them are durable.
  for (let above = directory; above !== dirname(above); above = dirname(above)) await syncMine(files, dirname(above));
  await files.makeDirectory(folder, { mode: 0o700 });
  await files.sync(directory);
}

/** Sees that a folder is this user's alone. Where others may write beside the target, one of them may have put something else there. */
async function ownFolder(files: Files, folder: string, found: Stat): Promise<void> {
  if (found.kind !== "directory")
    throw new Error(`${folder} is a ${found.kind}: trigger keeps its staged files in a directory of that name`);
  if (!isTrusted(found, me()))
    throw new Error(
      `${folder} belongs to another user (${ownerShown(found)}): trigger keeps its staged files there, so look what is in it and remove it`,
    );
  if ((found.mode & 0o077) !== 0) await files.chmod(folder, 0o700);
}

/** Makes a directory durable, unless it is one that this process may not read and so has not made. */
async function syncMine(files: Files, directory: string): Promise<void> {
  try {
    await files.sync(directory);
  } catch (error) {
    if (!["EACCES", "EPERM", "EINVAL", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** The names of a kind that a path has in its folder, oldest first. */
async function namesOf(files: Files, path: string, kind: Kind): Promise<string[]> {
  const names = await files.list(folderOf(path));
  return names.filter((name) => name.startsWith(`${tagOf(path)}.${kind}.`)).map((name) => join(folderOf(path), name));
}

/** Removes what a process that died has left of its staged files. */
export async function removeStaged(files: Files, path: string): Promise<void> {
  for (const name of await namesOf(files, path, "staged")) await files.remove(name);
}

const mineOf = (path: string): string => join(folderOf(path), `${tagOf(path)}.mine`);

/** Whether trigger has installed a path once: it is known beside the file, too, because a store may be lost. */
export const isMine = async (files: Files, path: string): Promise<boolean> =>
  (await files.stat(mineOf(path))) !== undefined;

/** Says durably, before a path is installed for the first time, that it is trigger's. */
export async function makeMine(files: Files, path: string): Promise<void> {
  if (await isMine(files, path)) return;
  await files.write(mineOf(path), "", { mode: 0o600 });
  await files.sync(folderOf(path));
}

/** Gives a path back to whoever writes there from now on. */
export const disown = (files: Files, path: string): Promise<void> => files.remove(mineOf(path));

/** Removes the folder of a path when nothing is in it any more. */
export async function removeEmptyFolder(files: Files, path: string): Promise<void> {
  const folder = folderOf(path);
  if ((await files.list(folder)).length === 0) await files.remove(folder);
}

/** Files written and made durable beside their targets, removed again unless they were put in place. */
export function stage(files: Files, log: (message: string) => void) {
  const names = new Set<string>();
  return {
    /** Writes bytes beside a path and gives the name. A failed fsync throws: what it was to save may be lost although a second one says well. */
    async write(path: string, bytes: Uint8Array, owned: Partial<Owned>): Promise<string> {
      const name = newName(path, "staged");
      names.add(name);
      await files.write(name, bytes, owned);
      await files.sync(name);
      return name;
    },
    async putInPlace(name: string, path: string): Promise<void> {
      await files.rename(name, path);
      names.delete(name);
    },
    async clear(): Promise<void> {
      for (const name of names) {
        // It does no harm where it is, and the next install of this path removes it.
        await files.remove(name).catch((error) => log(`a staged file stays behind: ${reason(error)}`));
      }
      names.clear();
    },
  };
}
export type Stage = ReturnType<typeof stage>;

export type Owned = { readonly mode: number; readonly uid: number; readonly gid: number };

/** Links the file in place as the last good one, durably, and gives the link. */
export async function keepGood(files: Files, path: string, { bytes, stat }: InPlace): Promise<string> {
  const good = newName(path, "good");
  try {
    await files.link(path, good);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await files.write(good, bytes, stat);
  }
  // Whoever wrote what was found may not have made it durable.
  await files.sync(good);
  await files.sync(folderOf(path));
  return good;
}

/** What a file system that has no hard links says to one. */
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Removes the last good files of a path but the one that is needed. */
export async function removeGoodBut(files: Files, path: string, needed: string | null): Promise<void> {
  for (const name of await namesOf(files, path, "good")) if (name !== needed) await files.remove(name);
}

/** Keeps a copy of what somebody else wrote, durably, and gives its name. */
export async function keepAside(
  files: Files,
  path: string,
  { bytes, stat }: InPlace,
  { now, secret }: { now: number; secret: boolean },
): Promise<string> {
  const aside = newName(path, "aside", `${new Date(now).toISOString()}.`);
  await files.write(aside, bytes, secret ? { ...stat, mode: 0o600 } : stat);
  await files.sync(aside);
  await files.sync(folderOf(path));
  // One of a clock that was ahead counts as the oldest: it must not drive out each new one until its time has come.
  const isAhead = (name: string): boolean => name > aside;
  const names = (await namesOf(files, path, "aside")).sort((a, b) => Number(isAhead(b)) - Number(isAhead(a)));
  for (const old of names.slice(0, -asidesKept)) await files.remove(old);
  return aside;
}
