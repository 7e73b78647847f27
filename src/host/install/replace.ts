import { randomUUID } from "node:crypto";
import { reason } from "../../core/util/errors.ts";
import type { PendingInstall } from "../store/ledger.ts";
import type { Records } from "../store/owned.ts";
import { orBlocked } from "./blocked.ts";
import type { Staged } from "./check.ts";
import { makeMine, type Stage } from "./folder.ts";
import type { HandEdits } from "./hand-edit.ts";
import { keepGood, type Listing, removeGoodBut } from "./kept.ts";
import type { Repair } from "./repair.ts";
import type { Target } from "./target.ts";
import type { InstallContext } from "./work.ts";

/** The middle of an install: staged files replace those in place, which become the last good ones. */

/** The parts of an installer that a replacement uses. */
interface Parts {
  readonly mend: Repair;
  readonly edits: HandEdits;
  readonly records: Pick<Records, "forget">;
}

/** Returns the function that replaces files, for one installer. */
export function replacement({ ledger, files, kept, clock, log }: InstallContext, { mend, edits, records }: Parts) {
  /** Keeps the last good files, journals the replacement, and replaces. */
  async function replace(
    staged: Staged,
    pending: readonly PendingInstall[],
    { staging, listed }: { readonly staging: Stage; readonly listed: Listing },
  ): Promise<void> {
    const batch = randomUUID();
    const journal: PendingInstall[] = [];
    const edited: string[] = [];
    for (const target of staged.keys()) {
      const { path, hash } = target;
      const unfinished = pending.find((candidate) => candidate.path === path);
      await orBlocked(files, path, async () => {
        if (await edits.setAside(target, pending)) edited.push(path);
        // This removal comes first: the fsync of the next kept file makes it durable, too.
        await removeGoodBut(listed, path, unfinished?.good ?? null);
        journal.push({ path, batch, to: hash, ...(await lastGood(target, unfinished)) });
      });
    }
    for (const { path, hash } of staged.keys())
      if (hash !== null && !ledger.applied(path)) await orBlocked(files, path, () => makeMine(files, path));
    const others = pending.filter(({ path }) => !journal.some((entry) => entry.path === path));
    ledger.journal([...journal, ...others.map((unfinished) => ({ ...unfinished, batch }))], {
      edited,
      now: clock.now(),
    });
    // From here on the ledger records that these are ours.
    for (const { path } of staged.keys()) records.forget(path);
    try {
      for (const [{ path }, file] of staged) {
        await orBlocked(files, path, () => (file ? staging.putInPlace(file.name, path) : files.remove(path)));
      }
      await mend.syncNames(journal);
    } catch (error) {
      // A half-installed set must not wait for the next run. It stays pending: that run stages all of it again.
      await mend.rollBack(journal).catch((again) => log(`the last good files could not be restored: ${reason(again)}`));
      throw error;
    }
  }

  /** The file to roll back to: the one in place, but never the unprobed text of an interrupted install. */
  async function lastGood(
    { path, disk }: Target,
    unfinished: PendingInstall | undefined,
  ): Promise<Pick<PendingInstall, "good" | "goodHash">> {
    const nothing = { good: null, goodHash: null };
    if (unfinished?.goodHash === null) return nothing;
    if (unfinished && (await mend.linkIsGood(unfinished)))
      return { good: unfinished.good, goodHash: unfinished.goodHash };
    // A thing that another user put in place of a file is no last good file.
    return disk && disk.odd === undefined
      ? { good: await keepGood({ files, kept }, path, disk), goodHash: disk.hash }
      : nothing;
  }

  return replace;
}
