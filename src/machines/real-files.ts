import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import type { Files, Stat } from "../core/service/host-api.ts";
import { O_PATH, type Place, statOf, unlessMissing, walk } from "./walk.ts";

/** Flags that follow no symlink and wait for no FIFO, should the end of a walk have changed meanwhile. */
const asFound = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The file system of this machine. */
export const realFiles: Files = {
  stat: (path) => at(path, "keep", async ({ stat }) => stat),

  read: (path) =>
    at(path, "follow", async (place) => {
      if (!place.stat) return undefined;
      const handle = await unlessMissing(fs.open(place.at, constants.O_RDONLY | asFound));
      return handle && closing(handle, () => readAsFound(handle, place.stat));
    }),

  list: (path) =>
    at(path, "follow", async (place) => {
      if (!place.stat) return [];
      const handle = await unlessMissing(fs.open(place.at, constants.O_RDONLY | constants.O_DIRECTORY | asFound));
      return handle ? closing(handle, async () => (await fs.readdir(`/proc/self/fd/${handle.fd}`)).sort()) : [];
    }),

  readLink: (path) =>
    at(path, "keep", async ({ at, stat }) => (stat?.kind === "symlink" ? fs.readlink(at) : undefined)),

  resolve: (path) => at(path, "follow", async ({ real }) => real),

  write: (path, bytes, { mode, uid, gid } = {}) =>
    at(path, "follow", async ({ at, stat }) => {
      // Created for its owner alone, and opened up when owner and content are right: at no moment is it wider than asked.
      const handle = await fs.open(at, constants.O_WRONLY | constants.O_CREAT | asFound, 0o600);
      await closing(handle, async () => {
        await handle.truncate();
        if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);
        const wanted = mode ?? (stat ? undefined : 0o644);
        if (wanted !== undefined) await handle.chmod(wanted);
        await handle.writeFile(bytes);
      });
    }),

  async makeDirectory(path, owned = {}) {
    while (!(await at(path, "follow", (place) => makeNext(place, owned))));
  },

  chmod: (path, mode) => at(path, "follow", ({ at }) => pinned(at, (it) => fs.chmod(it, mode))),
  chown: (path, uid, gid) => at(path, "keep", ({ at }) => fs.lchown(at, uid, gid)),
  link: (from, to) => at(from, "keep", (source) => at(to, "keep", (target) => fs.link(source.at, target.at))),
  rename: (from, to) => at(from, "keep", (source) => at(to, "keep", (target) => fs.rename(source.at, target.at))),

  remove: (path) =>
    at(path, "keep", async (place) => {
      const { stat } = place;
      if (stat) await unlessMissing(stat.kind === "directory" ? fs.rmdir(place.at) : fs.unlink(place.at));
    }),

  sync: (path) =>
    at(path, "follow", async ({ at }) => {
      const handle = await fs.open(at, constants.O_RDONLY | asFound);
      await closing(handle, () => handle.sync());
    }),
};

/** Reads what was found at the end of a walk. What was a file must not be a FIFO by now, which need not end, nor much larger. */
async function readAsFound(handle: fs.FileHandle, before: Stat | undefined): Promise<Uint8Array> {
  const now = statOf(await handle.stat());
  if (before?.kind === "file" && (now.kind !== "file" || now.size > before.size + mostGrowth))
    throw new Error("it was exchanged while it was looked at");
  return handle.readFile();
}

/** The most bytes that a file may have grown between the look at it and its reading. */
const mostGrowth = 64 * 1024 * 1024;

/** Makes the first of the names that are missing, the last one with its owner and mode; true when nothing is missing. */
async function makeNext(
  { first, stat, missing }: Place,
  { mode, uid, gid }: { mode?: number; uid?: number; gid?: number },
): Promise<boolean> {
  if (stat?.kind === "directory") return true;
  try {
    await fs.mkdir(first, missing > 1 ? undefined : mode);
  } catch (error) {
    // Another process may have made it a moment ago; anything else there is an error.
    if ((await unlessMissing(fs.lstat(first)))?.isDirectory()) return false;
    throw error;
  }
  if (missing > 1) return false;
  const handle = await fs.open(first, constants.O_RDONLY | constants.O_DIRECTORY | asFound);
  await closing(handle, async () => {
    if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);
    if (mode !== undefined) await handle.chmod(mode);
  });
  return true;
}

/** Does something to what is there by a descriptor: fchmod(2) takes none that only names a place, the link to it in /proc does. */
async function pinned(at: string, work: (it: string) => Promise<void>): Promise<void> {
  const handle = await fs.open(at, O_PATH | constants.O_NOFOLLOW);
  await closing(handle, () => work(`/proc/self/fd/${handle.fd}`));
}

/** Does something at the end of a walk; errors name the path and not the descriptor by which it was reached. */
async function at<T>(path: string, last: "follow" | "keep", work: (place: Place) => Promise<T>): Promise<T> {
  const place = await walk(path, { last });
  try {
    return await work(place);
  } catch (error) {
    throw named(error, place);
  } finally {
    await place.close();
  }
}

function named(error: unknown, { first, missing, real }: Place): unknown {
  if (error instanceof Error && missing <= 1) error.message = error.message.replaceAll(first, real);
  return error;
}

async function closing<T>(handle: fs.FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}
