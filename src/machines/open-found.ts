import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { isTrusted } from "../core/service/trust.ts";
import { idOf, me, type Place, statOf } from "./walk.ts";

/** Opens what a walk has found, and sees that it is the same. */

/** Flags that follow no symlink and wait for no FIFO, as the end of a walk may have changed meanwhile. */
export const asFound = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Thrown if other users replaced a file between the walk to it and its opening. */
export class Replaced extends Error {
  override name = "Replaced";
}

/** The error code of a file with several names in a folder that other users may write (link(2)). */
export const severalNames = "EMLINK";

/**
 * Opens the end of a walk. Where other users may replace it, the opened file must be the one that was found. It must not
 * be that of another user under a second name: a hard link leads as far as a symlink.
 */
export async function openFound(place: Place, flags: number, mode?: number): Promise<fs.FileHandle> {
  const handle = await fs.open(place.at, flags | asFound, mode);
  if (!place.shared) return handle;
  try {
    const now = await handle.stat();
    if (place.id !== undefined && idOf(now) !== place.id) throw new Replaced(`${place.real} was replaced meanwhile`);
    const { kind, uid } = statOf(now);
    const isOfFolder = uid === place.within.uid && !isTrusted(place.within, me());
    if (kind === "file" && now.nlink > 1 && !isOfFolder) {
      const why = `${place.real} has ${now.nlink} names (hard links), in a folder that other users may write: it is not opened`;
      throw Object.assign(new Error(why), { code: severalNames });
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export async function closing<T>(handle: fs.FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await handle.close();
  }
}
