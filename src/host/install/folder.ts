import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Files, Stat } from "../../core/service/host-api.ts";
import { isTrusted, ownerShown } from "../../core/service/trust.ts";
import { reason } from "../../core/util/errors.ts";
import { isPlacedByOthers } from "./in-place.ts";
import { me } from "./shared.ts";
import { folderOf, newName, tagOf } from "./target.ts";

/** The `.trigger` folder beside a target: staged files, and the marks of paths that are trigger's. */

/**
 * Creates the folder of a path, durably, with every directory above it. In a directory that other users may write to, a
 * foreign thing in its place is moved away. Otherwise a user could keep a file applied by it.
 */
export async function openFolder(files: Files, path: string, log: (message: string) => void): Promise<void> {
  const folder = folderOf(path);
  const found = await files.stat(folder);
  const wrong = found && wrongFolder(folder, found);
  if (found && wrong === undefined) {
    if ((found.mode & 0o077) !== 0) await files.chmod(folder, 0o700);
    return;
  }
  if (found && wrong !== undefined) {
    if (!(await isPlacedByOthers(files, folder, found))) throw new Error(wrong);
    const away = `${folder}.${randomBytes(6).toString("hex")}`;
    await files.rename(folder, away);
    log(`${wrong}: it is moved to ${away}`);
  }
  const directory = dirname(path);
  await files.makeDirectory(directory);
  // Existing directories, too: a process that died may have made them without a sync. Once the folder exists, all of
  // them are durable.
  for (let above = directory; above !== dirname(above); above = dirname(above)) await syncMine(files, dirname(above));
  await files.makeDirectory(folder, { mode: 0o700 });
  await files.sync(directory);
  const made = await files.stat(folder);
  const still = made && wrongFolder(folder, made);
  if (still !== undefined) throw new Error(still);
}

/** The fault of a folder that other users can access; undefined if it has none. */
function wrongFolder(folder: string, { kind, mode, uid, gid }: Stat): string | undefined {
  if (kind !== "directory") return `${folder} is a ${kind}: trigger keeps its staged files in a directory of that name`;
  if (isTrusted({ mode, uid, gid }, me())) return undefined;
  return `${folder} belongs to another user (${ownerShown({ mode, uid, gid })}): trigger keeps its staged files there, so inspect it and remove it`;
}

/** True if the folder for a path exists, and is this user's own. */
export async function isOpen(files: Files, path: string): Promise<boolean> {
  const found = await files.stat(folderOf(path));
  return found !== undefined && wrongFolder(folderOf(path), found) === undefined;
}

/**
 * Makes a directory durable. A directory that this process may not read is skipped: this process cannot have made it.
 */
async function syncMine(files: Files, directory: string): Promise<void> {
  try {
    await files.sync(directory);
  } catch (error) {
    if (!["EACCES", "EPERM", "EINVAL", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

const mineOf = (path: string): string => join(folderOf(path), `${tagOf(path)}.mine`);

/** True if trigger has ever installed a path. A file beside it records this, too, because a store may be lost. */
export const isMine = async (files: Files, path: string): Promise<boolean> =>
  (await isOpen(files, path)) && (await files.stat(mineOf(path))) !== undefined;

/** Marks a path durably as trigger's, before its first install. */
export async function makeMine(files: Files, path: string): Promise<void> {
  if (await isMine(files, path)) return;
  await files.write(mineOf(path), "", { mode: 0o600 });
  await files.sync(folderOf(path));
}

/** Removes the mark that a path is trigger's. */
export async function disown(files: Files, path: string): Promise<void> {
  if (await isOpen(files, path)) await files.remove(mineOf(path));
}

/** Removes the empty folders of paths. */
export async function removeEmptyFolders(files: Files, paths: readonly string[]): Promise<void> {
  for (const [folder, path] of new Map(paths.map((path) => [folderOf(path), path])))
    if ((await isOpen(files, path)) && (await files.list(folder)).length === 0) await files.remove(folder);
}

/** Writes files durably beside their targets, and removes them again unless they were put in place. */
export function stage(files: Files, log: (message: string) => void) {
  const names = new Set<string>();
  return {
    /**
     * Writes bytes beside a path and returns the name. A failed fsync throws: the data may be lost even if a second
     * fsync succeeds.
     */
    async write(path: string, bytes: Uint8Array, owned: Partial<Owned>): Promise<string> {
      const name = newName(folderOf(path), path, "staged");
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
        // A leftover is harmless, and the next install of this path removes it.
        await files.remove(name).catch((error) => log(`a staged file was not removed: ${reason(error)}`));
      }
      names.clear();
    },
  };
}
export type Stage = ReturnType<typeof stage>;

export type Owned = { readonly mode: number; readonly uid: number; readonly gid: number };
