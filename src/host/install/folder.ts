import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Files, Stat } from "../../core/service/host-api.ts";
import { isTrusted, ownerShown } from "../../core/service/trust.ts";
import { reason } from "../../core/util/errors.ts";
import { type InPlace, isPlacedByOthers } from "./in-place.ts";
import { me } from "./shared.ts";
import { folderOf, tagOf } from "./target.ts";

/** The `.trigger` folder beside a target: staged files, the last good file, and files kept aside. */

type Kind = "staged" | "good" | "aside";

/** The number of files kept aside per path. */
const asidesKept = 10;

/** A new name of a kind in the folder of a path; it cannot be guessed. */
const newName = (path: string, kind: Kind, infix = ""): string =>
  join(folderOf(path), `${tagOf(path)}.${kind}.${infix}${randomBytes(6).toString("hex")}`);

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
async function isOpen(files: Files, path: string): Promise<boolean> {
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

/** The content of the `.trigger` folders of paths. Each folder is listed once, when first needed. */
export interface Listing {
  readonly files: Files;
  /** The names of a kind for a path in its folder, oldest first. */
  namesOf(path: string, kind: Kind): Promise<string[]>;
}

/** Begins a listing, valid until a file of a listed kind is added. */
export function listing(files: Files): Listing {
  const folders = new Map<string, Map<string, string[]>>();
  async function list(path: string): Promise<Map<string, string[]>> {
    const folder = folderOf(path);
    const known = folders.get(folder);
    if (known) return known;
    const names = (await isOpen(files, path)) ? await files.list(folder) : [];
    const listed = Map.groupBy(names, (name) => tagAndKind.exec(name)?.[1] ?? "");
    folders.set(folder, listed);
    return listed;
  }
  return {
    files,
    async namesOf(path, kind) {
      const names = (await list(path)).get(`${tagOf(path)}.${kind}`) ?? [];
      return names.map((name) => join(folderOf(path), name));
    },
  };
}

/** The beginning of a name of `newName`: tag and kind. */
const tagAndKind = /^(.*\.[0-9a-f]{8}\.(?:staged|good|aside))\./s;

/** Removes the staged files of a path that a dead process left. */
export async function removeStaged({ files, namesOf }: Listing, path: string): Promise<void> {
  for (const name of await namesOf(path, "staged")) await files.remove(name);
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
        // A leftover is harmless, and the next install of this path removes it.
        await files.remove(name).catch((error) => log(`a staged file was not removed: ${reason(error)}`));
      }
      names.clear();
    },
  };
}
export type Stage = ReturnType<typeof stage>;

export type Owned = { readonly mode: number; readonly uid: number; readonly gid: number };

/** Links the file in place as the last good one, durably, and returns the link. */
export async function keepGood(files: Files, path: string, { bytes, stat }: InPlace): Promise<string> {
  const good = newName(path, "good");
  try {
    await files.link(path, good);
    // A writer of that folder may have replaced the file since it was read.
    if ((await files.stat(good))?.kind !== "file") throw new Error(`${path} was replaced while it was read`);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await files.write(good, bytes, stat);
  }
  // The writer of a found file may not have made it durable.
  await files.sync(good);
  await files.sync(folderOf(path));
  return good;
}

/** The error codes of a file system without hard links. */
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Removes the last good files of a path except the one that is needed. */
export async function removeGoodBut({ files, namesOf }: Listing, path: string, needed: string | null): Promise<void> {
  for (const name of await namesOf(path, "good")) if (name !== needed) await files.remove(name);
}

/**
 * Keeps a foreign file aside, durably, and returns its name: a copy, a line that describes it, or the directory itself.
 */
export async function keepAside(
  files: Files,
  path: string,
  { bytes, stat, odd }: InPlace,
  { now, secret }: { now: number; secret: boolean },
): Promise<string> {
  const aside = newName(path, "aside", `${new Date(now).toISOString()}.`);
  if (odd !== undefined && (stat.kind === "directory" || stat.kind === "file")) await files.rename(path, aside);
  else {
    const owned = odd !== undefined ? { mode: 0o600 } : secret ? { ...stat, mode: 0o600 } : stat;
    await files.write(aside, bytes, owned);
    await files.sync(aside);
  }
  await files.sync(folderOf(path));
  // A name from a clock that was ahead counts as the oldest. Otherwise it would displace each new name until its time
  // comes.
  const isAhead = (name: string): boolean => name > aside;
  const names = (await listing(files).namesOf(path, "aside")).sort((a, b) => Number(isAhead(b)) - Number(isAhead(a)));
  // A person removes a directory that was moved here: its content is foreign.
  for (const old of names.slice(0, -asidesKept)) await files.remove(old).catch(() => {});
  return aside;
}
