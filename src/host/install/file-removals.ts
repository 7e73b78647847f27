import { Held, reason } from "../../core/util/errors.ts";
import { disown, removeEmptyFolders } from "./folder.ts";
import { placeOf, readInPlace } from "./in-place.ts";
import { listing, removeGoodBut, removeStaged } from "./kept.ts";
import { type BlockedFile, type ReadTargets, removalTarget, type Target } from "./target.ts";
import type { InstallContext } from "./work.ts";

/** The removal of files that a service installed and no longer wants, by the steps of an install. */

export function fileRemovals({ ledger, files, kept, owned, isHeld, removable, log }: InstallContext) {
  /**
   * The files to remove, and those that should be removed but cannot be read. The latter keep no other file waiting.
   */
  async function read({ targets: given, blocked: unreadable }: ReadTargets, dry: boolean): Promise<ReadTargets> {
    const wanted = new Set([...given, ...unreadable].map(({ path }) => path));
    const found: Target[] = [];
    const removed: Target[] = [];
    const blocked: BlockedFile[] = [];
    for (const path of ledger.written().filter((one) => !wanted.has(one))) {
      try {
        const real = await placeOf(files, path);
        if (real !== path) {
          // A symlink of root now leads present. The file there may be wanted, or foreign.
          if (dry) continue;
          log(`${path} is not wanted any more, but leads to ${real}: that file stays`);
          ledger.forget(path);
          continue;
        }
        const target = removalTarget(path, await readInPlace(files, path));
        const isRemoved =
          !target.disk && ledger.pending([path]).length === 0 && (ledger.applied(path)?.hash ?? null) === null;
        (isRemoved ? removed : found).push(target);
      } catch (error) {
        blocked.push(notWanted(path, error));
      }
    }
    if (!dry) blocked.push(...(await clear(removed)));
    return { targets: found, blocked };
  }

  const toRemove = (targets: readonly Target[]): (readonly [path: string, hash: string])[] =>
    targets.flatMap(({ path, hash, disk }) => (hash === null && disk ? [[path, disk.hash]] : []));

  /** The number of files to remove without a person's approval. */
  const unasked = (targets: readonly Target[]): number =>
    toRemove(targets).filter(([path, hash]) => !owned.has(path, hash)).length;

  /**
   * Throws `Held` if more files would be removed than the limit allows, until a person approves the digest of exactly
   * these files. An open question stays open for the remaining files, however few.
   */
  function holdMany(targets: readonly Target[]): void {
    const present = toRemove(targets);
    const allowed = removable?.(targets.length);
    if (allowed === undefined || present.every(([path, hash]) => owned.has(path, hash))) return;
    const isOpen = present.some(([path]) => isHeld(path));
    if (present.length <= allowed && !isOpen) return;
    owned.hold(present);
    const rule = present.length > allowed ? `at most ${allowed} without approval` : "and a person was asked about them";
    throw new Held(`${present.length} files that are not wanted any more would be removed, ${rule}`);
  }

  /**
   * Removes the other files beside removed ones, except those kept aside, and forgets the paths. Returns the paths that
   * cannot be cleared yet.
   */
  async function clear(targets: readonly Target[]): Promise<BlockedFile[]> {
    const paths = targets.filter(({ hash }) => hash === null).map(({ path }) => path);
    const blocked: BlockedFile[] = [];
    try {
      await clearAll(paths);
    } catch {
      // One after the other: each error names its own obstacle.
      for (const path of paths) await clearAll([path]).catch((error) => blocked.push(notWanted(path, error)));
    }
    return blocked;
  }

  async function clearAll(paths: readonly string[]): Promise<void> {
    const listed = listing({ files, kept });
    for (const path of paths) {
      await removeGoodBut(listed, path, null);
      await removeStaged(listed, path);
      await disown(files, path);
    }
    await removeEmptyFolders(files, paths);
    for (const path of paths) ledger.forget(path);
  }

  return { read, unasked, holdMany, clear };
}

const notWanted = (path: string, error: unknown): BlockedFile => ({
  path,
  why: `it is not wanted any more: ${reason(error)}`,
});
