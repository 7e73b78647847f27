import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import type { Files, Stat } from "../core/service/host-api.ts";
import { O_PATH, type Place, statOf, unlessMissing, walk } from "./walk.ts";

/** Flags that follow no symlink and wait for no FIFO, as the end of a walk may have changed meanwhile. */
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
      // The file is created with mode 0600 and gets its mode last, so its rights never exceed the requested ones.
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

/** Reads the file at the end of a walk. Throws if it has become a FIFO, which may never end, or has grown much larger. */
async function readAsFound(handle: fs.FileHandle, before: Stat | undefined): Promise<Uint8Array> {
  const now = statOf(await handle.stat());
  if (before?.kind === "file" && (now.kind !== "file" || now.size > before.size + mostGrowth))
    throw new Error("it was replaced while it was read");
  return handle.readFile();
}

/** The most bytes by which a file may grow between its stat and its reading. */
const mostGrowth = 64 * 1024 * 1024;

/** Makes the first missing folder of a path; the last one gets the owner and mode. Returns true if none is missing now. */
async function makeNext(
  { first, stat, missing }: Place,
  { mode, uid, gid }: { mode?: number; uid?: number; gid?: number },
): Promise<boolean> {
  if (stat?.kind === "directory") return true;
  try {
    await fs.mkdir(first, missing > 1 ? undefined : mode);
  } catch (error) {
    // Another process may have made the folder a moment ago; anything else there is an error.
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

/** Runs work on a file by its descriptor. fchmod(2) takes no O_PATH descriptor, but chmod(2) takes its link in /proc. */
async function pinned(at: string, work: (it: string) => Promise<void>): Promise<void> {
  const handle = await fs.open(at, O_PATH | constants.O_NOFOLLOW);
  await closing(handle, () => work(`/proc/self/fd/${handle.fd}`));
}

/** Runs work at the end of a walk; errors name the path and not the descriptor by which it was reached. */
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
