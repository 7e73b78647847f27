import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import type { Files } from "../core/service/host-api.ts";
import { asFound, closing, openFound, Replaced } from "./open-found.ts";
import { me, O_PATH, type Place, statOf, unlessMissing, walk } from "./walk.ts";

/** The file system of this machine. */
export const realFiles: Files = {
  stat: (path) => at(path, "keep", async ({ stat }) => stat),

  read: (path) =>
    at(path, "follow", async (place) => {
      if (!place.stat) return undefined;
      const handle = await unlessMissing(openFound(place, constants.O_RDONLY));
      return handle && closing(handle, () => readAsFound(handle, place));
    }),

  list: (path) =>
    at(path, "follow", async (place) => {
      if (!place.stat) return [];
      const handle = await unlessMissing(openFound(place, constants.O_RDONLY | constants.O_DIRECTORY));
      return handle ? closing(handle, async () => (await fs.readdir(`/proc/self/fd/${handle.fd}`)).sort()) : [];
    }),

  readLink: (path) =>
    at(path, "keep", async ({ at, stat }) => (stat?.kind === "symlink" ? fs.readlink(at) : undefined)),

  resolve: (path) => at(path, "follow", async ({ real }) => real),

  write: (path, bytes, { mode, uid, gid } = {}) =>
    at(path, "follow", async (place) => {
      const { stat, shared } = place;
      // Where others may put a file, one is either found or made, and never made where one has just been put.
      const make = constants.O_CREAT | (shared ? constants.O_EXCL : 0);
      // The file is created with mode 0600 and gets its mode last, so its rights never exceed the requested ones.
      const handle = await openFound(place, constants.O_WRONLY | (stat && shared ? 0 : make), 0o600);
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

  chmod: (path, mode) => at(path, "follow", (place) => pinned(place, (it) => fs.chmod(it, mode))),
  chown: (path, uid, gid) => at(path, "keep", (place) => pinned(place, (it) => fs.chown(it, uid, gid))),
  link: (from, to) => at(from, "keep", (source) => at(to, "keep", (target) => fs.link(source.at, target.at))),
  rename: (from, to) => at(from, "keep", (source) => at(to, "keep", (target) => fs.rename(source.at, target.at))),

  remove: (path) =>
    at(path, "keep", async (place) => {
      const { stat } = place;
      if (stat) await unlessMissing(stat.kind === "directory" ? fs.rmdir(place.at) : fs.unlink(place.at));
    }),

  sync: (path) =>
    at(path, "follow", async (place) => {
      const handle = await openFound(place, constants.O_RDONLY);
      await closing(handle, () => handle.sync());
    }),
};

/**
 * Reads the file at the end of a walk. Throws if it has become a FIFO, which may never end, or has grown much larger;
 * also if other users may have made it so large that it would exhaust the memory.
 */
async function readAsFound(handle: fs.FileHandle, { real, stat: before, shared }: Place): Promise<Uint8Array> {
  const now = statOf(await handle.stat());
  if (before?.kind === "file" && (now.kind !== "file" || now.size > before.size + mostGrowth))
    throw new Error("it was replaced while it was read");
  // A user of theirs may write into a FIFO without end.
  if (shared && now.kind === "other") throw new Error(`${real} is no file, and others may have put it there`);
  if (shared && now.size > mostOfOthers) throw new Error(`${real} has ${now.size} bytes, and others may have put it`);
  return handle.readFile();
}

/** The most bytes by which a file may grow between its stat and its reading. */
const mostGrowth = 64 * 1024 * 1024;
/** The most bytes that are read of a file that other users may replace. */
const mostOfOthers = 256 * 1024 * 1024;

/** Makes the first missing folder of a path; the last one gets the owner and mode. Returns true if none is missing now. */
async function makeNext(
  { first, real, stat, missing, shared }: Place,
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
    // In a folder of theirs others may have put another one of root's in its place: that one is not given away.
    if (shared && !(await isNew(handle))) throw new Replaced(`${real} was replaced meanwhile`);
    if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);
    if (mode !== undefined) await handle.chmod(mode);
  });
  return true;
}

/** True for an empty folder of this user. */
async function isNew(folder: fs.FileHandle): Promise<boolean> {
  return (await folder.stat()).uid === me() && (await fs.readdir(`/proc/self/fd/${folder.fd}`)).length === 0;
}

/** Runs work on a file by its descriptor. fchmod(2) takes no O_PATH descriptor, but chmod(2) takes its link in /proc. */
async function pinned(place: Place, work: (it: string) => Promise<void>): Promise<void> {
  const handle = await openFound(place, O_PATH);
  await closing(handle, () => work(`/proc/self/fd/${handle.fd}`));
}

/** The number of walks to a file that others replace each time. */
const tries = 3;

/** Runs work at the end of a walk, and walks again if what was found has been replaced before it could be opened. */
async function at<T>(path: string, last: "follow" | "keep", work: (place: Place) => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await once(path, last, work);
    } catch (error) {
      if (!(error instanceof Replaced) || n === tries) throw error;
    }
  }
}

/** Runs work at the end of one walk; errors name the path and not the descriptor by which it was reached. */
async function once<T>(path: string, last: "follow" | "keep", work: (place: Place) => Promise<T>): Promise<T> {
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
