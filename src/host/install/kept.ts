import { basename, dirname, join } from "node:path";
import type { Files } from "../../core/service/host-api.ts";
import type { Machine } from "../../ports/machine.ts";
import { isOpen, openFolder } from "./folder.ts";
import { hashOf, type InPlace, readInPlace } from "./in-place.ts";
import { isShared } from "./shared.ts";
import { folderOf, type Kind, newName, tagOf } from "./target.ts";

/**
 * The last good files and those kept aside. They lie in `.trigger` beside their targets. If others may replace that
 * folder, they lie in the state, where no other user can take them away or exchange them.
 */

/** The parts of a machine that keep files: `kept` is the folder in the state. */
export type Keeping = Pick<Machine, "files" | "kept">;

/** The number of files kept aside per path. */
const asidesKept = 10;

/** The folder in the state for what is kept of a path's folder: named for people, and for trigger. */
const inState = (kept: string, path: string): string =>
  join(kept, `${hashOf(Buffer.from(dirname(path))).slice(0, 16)}-${basename(dirname(path)).slice(0, 60)}`);

/** Makes, durably, the folder in which files of a path are kept, and returns it. The one beside the path exists. */
async function openKept({ files, kept }: Keeping, path: string): Promise<string> {
  // A path that cannot be examined counts as changed by others.
  if (!(await isShared(files, folderOf(path)).catch(() => true))) return folderOf(path);
  const folder = inState(kept, path);
  await files.makeDirectory(kept, { mode: 0o700 });
  await files.makeDirectory(folder, { mode: 0o700 });
  // Existing ones, too: a process that died may have made them without a sync.
  await files.sync(kept);
  await files.sync(dirname(kept));
  return folder;
}

/** The files that are kept or staged for paths. Each folder is listed once, when first needed. */
export interface Listing {
  readonly files: Files;
  /** The names of a kind for a path, oldest first. */
  namesOf(path: string, kind: Kind): Promise<string[]>;
}

/** Begins a listing, valid until a file of a listed kind is added. */
export function listing({ files, kept }: Keeping): Listing {
  const folders = new Map<string, Map<string, string[]>>();
  async function list(folder: string, isUsed: () => Promise<boolean>): Promise<Map<string, string[]>> {
    const known = folders.get(folder);
    if (known) return known;
    const names = (await isUsed()) ? await files.list(folder) : [];
    const listed = Map.groupBy(names, (name) => tagAndKind.exec(name)?.[1] ?? "");
    folders.set(folder, listed);
    return listed;
  }
  return {
    files,
    async namesOf(path, kind) {
      const found: string[] = [];
      for (const [folder, isUsed] of [
        [folderOf(path), () => isOpen(files, path)],
        [inState(kept, path), async () => kind !== "staged"],
      ] as const) {
        const names = (await list(folder, isUsed)).get(`${tagOf(path)}.${kind}`) ?? [];
        found.push(...names.map((name) => join(folder, name)));
      }
      return found;
    },
  };
}

/** The beginning of a name of `newName`: tag and kind. */
const tagAndKind = /^(.*\.[0-9a-f]{8}\.(?:staged|good|aside))\./s;

/** Removes the staged files of a path that a dead process left. */
export async function removeStaged({ files, namesOf }: Listing, path: string): Promise<void> {
  for (const name of await namesOf(path, "staged")) await files.remove(name);
}

/** Keeps the file in place as the last good one, durably, and returns its name: a link beside it, or a copy. */
export async function keepGood(keeping: Keeping, path: string, { bytes, stat }: InPlace): Promise<string> {
  const { files } = keeping;
  const folder = await openKept(keeping, path);
  const good = newName(folder, path, "good");
  try {
    // In a folder of others another file may have the name by now: what was read is kept.
    if (folder !== folderOf(path)) throw Object.assign(new Error("a copy is kept"), { code: "EPERM" });
    await files.link(path, good);
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await files.write(good, bytes, stat);
  }
  // The writer of a found file may not have made it durable.
  await files.sync(good);
  await files.sync(folder);
  return good;
}

/** The error codes of a file system without hard links. */
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Puts a last good file back in place: it is renamed, or copied beside the path if it lies in the state. */
export async function putGoodBack(
  { files, log }: { readonly files: Files; log(message: string): void },
  good: string,
  path: string,
): Promise<void> {
  if (dirname(good) === folderOf(path)) return files.rename(good, path);
  const kept = await readInPlace(files, good);
  if (!kept) throw new Error(`${good} is gone`);
  await openFolder(files, path, log);
  const staged = newName(folderOf(path), path, "staged");
  await files.write(staged, kept.bytes, kept.stat);
  await files.sync(staged);
  await files.rename(staged, path);
}

/** Removes the last good files of a path except the one that is needed. */
export async function removeGoodBut({ files, namesOf }: Listing, path: string, needed: string | null): Promise<void> {
  for (const name of await namesOf(path, "good")) if (name !== needed) await files.remove(name);
}

/**
 * Keeps a foreign file aside, durably, and returns its name: a copy, or a line that describes it. What cannot be copied
 * (a directory, a file that is too large) is moved to `.trigger`, on its own file system.
 */
export async function keepAside(
  keeping: Keeping,
  path: string,
  { bytes, stat, odd }: InPlace,
  { now, secret }: { now: number; secret: boolean },
): Promise<string> {
  const { files } = keeping;
  const isMoved = odd !== undefined && (stat.kind === "directory" || stat.kind === "file");
  const folder = isMoved ? folderOf(path) : await openKept(keeping, path);
  const aside = newName(folder, path, "aside", `${new Date(now).toISOString()}.`);
  if (isMoved) await files.rename(path, aside);
  else {
    const owned = odd !== undefined ? { mode: 0o600 } : secret ? { ...stat, mode: 0o600 } : stat;
    await files.write(aside, bytes, owned);
    await files.sync(aside);
  }
  await files.sync(folder);
  // A name from a clock that was ahead counts as the oldest. Otherwise it would displace each new name until its time
  // comes.
  const rank = (name: string): string => `${basename(name) > basename(aside) ? 0 : 1}${basename(name)}`;
  const names = (await listing(keeping).namesOf(path, "aside")).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  // A person removes a directory that was moved here: its content is foreign.
  for (const old of names.slice(0, -asidesKept)) await files.remove(old).catch(() => {});
  return aside;
}
