import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Lock, takeLock } from "../sqlite/lock.ts";

/** Copies of a host's store for a comparison: as private as the store, and removed with their process or soon after it. */

/** The folder of the copies, each a folder `<name>` beside its `<name>.lock`, which the process that uses it holds. */
export const copiesOf = (state: string, host: string): string => join(state, host, "copies");

/** Runs `work` with a new folder below the state of a host, which is removed at its end. */
export async function inCopyFolder<T>(state: string, host: string, work: (folder: string) => Promise<T>): Promise<T> {
  removeLeftCopies(state, host);
  const { folder, lock } = claim(copiesOf(state, host));
  try {
    mkdirSync(folder, { mode: 0o700 });
    return await work(folder);
  } finally {
    discard(folder, lock);
  }
}

/** Removes the copies whose process was killed; those of a living process stay. */
export function removeLeftCopies(state: string, host: string): void {
  const folder = copiesOf(state, host);
  for (const name of namesIn(folder)) {
    const copy = join(folder, name.replace(/\.lock$/, ""));
    const lock = takeLock(`${copy}.lock`);
    if (lock) discard(copy, lock);
  }
}

/** A new name whose lock is held before there is anything under it. */
function claim(parent: string): { folder: string; lock: Lock } {
  for (;;) {
    const folder = join(parent, randomBytes(6).toString("hex"));
    // Undefined if another process has removed the lock as a leftover.
    const lock = takeLock(`${folder}.lock`);
    if (lock) return { folder, lock };
  }
}

function discard(folder: string, lock: Lock): void {
  rmSync(folder, { recursive: true, force: true });
  rmSync(`${folder}.lock`, { force: true });
  lock.release();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // no comparison has been made yet
    throw error;
  }
}
