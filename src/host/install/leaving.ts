import { Held, reason } from "../../core/util/errors.ts";
import { disown, listing, removeEmptyFolders, removeGoodBut, removeStaged } from "./folder.ts";
import { placeOf, readInPlace } from "./in-place.ts";
import { leavingTarget, type ReadTargets, type Stuck, type Target } from "./target.ts";
import type { InstallContext } from "./work.ts";

/** The removal of files that a service installed and no longer wants. It takes the same steps as an install. */

export function leaving({ ledger, files, owned, isAsked, spare, log }: InstallContext) {
  /**
   * The files to remove, and those that should be removed but cannot be read. The latter keep no other file waiting.
   */
  async function read({ targets: given, stuck: apart }: ReadTargets, dry: boolean): Promise<ReadTargets> {
    const wanted = new Set([...given, ...apart].map(({ path }) => path));
    const found: Target[] = [];
    const gone: Target[] = [];
    const stuck: Stuck[] = [];
    for (const path of ledger.written().filter((one) => !wanted.has(one))) {
      try {
        const real = await placeOf(files, path);
        if (real !== path) {
          // A symlink of root now leads there. The file there may be wanted, or foreign.
          if (dry) continue;
          log(`${path} is not wanted any more, but leads to ${real}: that file stays`);
          ledger.gone(path);
          continue;
        }
        const target = leavingTarget(path, await readInPlace(files, path));
        const isGone =
          !target.disk && ledger.pending([path]).length === 0 && (ledger.applied(path)?.hash ?? null) === null;
        (isGone ? gone : found).push(target);
      } catch (error) {
        stuck.push(notGiven(path, error));
      }
    }
    if (!dry) stuck.push(...(await clear(gone)));
    return { targets: found, stuck };
  }

  const going = (targets: readonly Target[]): (readonly [path: string, hash: string])[] =>
    targets.flatMap(({ path, hash, disk }) => (hash === null && disk ? [[path, disk.hash]] : []));

  /** The number of files to remove without a person's approval. */
  const unasked = (targets: readonly Target[]): number =>
    going(targets).filter(([path, hash]) => !owned.has(path, hash)).length;

  /**
   * Throws `Held` if more files would be removed than the limit allows, until a person approves the digest of exactly
   * these files. An open question stays open for the remaining files, however few.
   */
  function holdMany(targets: readonly Target[]): void {
    const there = going(targets);
    const may = spare?.(targets.length);
    if (may === undefined || there.every(([path, hash]) => owned.has(path, hash))) return;
    const isOpen = there.some(([path]) => isAsked(path));
    if (there.length <= may && !isOpen) return;
    owned.hold(there);
    const rule = there.length > may ? `at most ${may} without approval` : "and a person was asked about them";
    throw new Held(`${there.length} files that are not wanted any more would be removed, ${rule}`);
  }

  /**
   * Removes the other files beside removed ones, except those kept aside, and forgets the paths. Returns the paths that
   * cannot be cleared yet.
   */
  async function clear(targets: readonly Target[]): Promise<Stuck[]> {
    const paths = targets.filter(({ hash }) => hash === null).map(({ path }) => path);
    const stuck: Stuck[] = [];
    try {
      await clearAll(paths);
    } catch {
      // One after the other: each error names its own obstacle.
      for (const path of paths) await clearAll([path]).catch((error) => stuck.push(notGiven(path, error)));
    }
    return stuck;
  }

  async function clearAll(paths: readonly string[]): Promise<void> {
    const listed = listing(files);
    for (const path of paths) {
      await removeGoodBut(listed, path, null);
      await removeStaged(listed, path);
      await disown(files, path);
    }
    await removeEmptyFolders(files, paths);
    for (const path of paths) ledger.gone(path);
  }

  return { read, unasked, holdMany, clear };
}

const notGiven = (path: string, error: unknown): Stuck => ({
  path,
  why: `it is not wanted any more: ${reason(error)}`,
});
