import { Fatal, TextDoubted, TextRefused } from "../../core/util/errors.ts";
import type { PendingInstall } from "../store/ledger.ts";
import { orBlocked } from "./blocked.ts";
import { prepareCheck, type Staged, type StagedFile } from "./check.ts";
import { openFolder, type Stage } from "./folder.ts";
import type { Repair } from "./repair.ts";
import { modeAndOwner, type Target } from "./target.ts";
import { type InstallContext, passes, type Work } from "./work.ts";

/** The check of a new text, and of the last good one if the new one fails: only then the text is to blame. */

export function textCheck({ files, secret, log }: InstallContext, mend: Repair) {
  async function stageAll(targets: readonly Target[], staging: Stage): Promise<Staged> {
    const staged = new Map<Target, StagedFile | undefined>();
    for (const target of targets) {
      const { path, hash, disk } = target;
      await orBlocked(files, path, async () => {
        if (hash !== null || disk) await openFolder(files, path, log);
        staged.set(target, hash === null ? undefined : await stageOne(target, target.bytes, staging));
      });
    }
    return staged;
  }

  async function stageOne(target: Target, bytes: Uint8Array, staging: Stage): Promise<StagedFile> {
    return { name: await staging.write(target.path, bytes, modeAndOwner(target, secret)), bytes };
  }

  /** Throws if the check fails: `Fatal` if the last good files pass it now, because the text is then to blame. */
  async function check(work: Work, pending: readonly PendingInstall[], staged: Staged, staging: Stage): Promise<void> {
    const { targets, context } = work;
    const step = work.steps.check;
    if (!step) return;
    const remaining = targets.filter(({ hash }) => hash !== null);
    await using first = await prepareCheck(step, remaining, { staged, staging, context });
    try {
      await first.run();
    } catch (cause) {
      if (context.host.signal.aborted || cause instanceof Fatal) throw cause;
      const why = `the check of ${[...staged.keys()].map(({ path }) => path).join(", ")} failed`;
      // A text is not compared with itself.
      const isGood = ({ path, hash, disk }: Target) =>
        hash === (pending.find((unfinished) => unfinished.path === path) ?? { goodHash: disk?.hash }).goodHash;
      if ([...staged.keys()].every(isGood)) {
        throw new Error(`${why}, and it is the last good text itself, so no text is to blame`, { cause });
      }
      const good = await stageGood(staged, pending, staging);
      if (!good) throw new TextDoubted(`${why}, and there is no last good text to compare with`, { cause });
      await using again = await prepareCheck(step, remaining, { staged: good, staging, context });
      if (await passes(again.run)) throw new TextRefused(`${why}, but the last good text passes it`, { cause });
      throw new Error(`${why}, and the last good text fails it, too, so no text is to blame`, { cause });
    }
  }

  /** Stages copies of the last good files; undefined unless each has one. */
  async function stageGood(
    staged: Staged,
    pending: readonly PendingInstall[],
    staging: Stage,
  ): Promise<Staged | undefined> {
    const copies = new Map<Target, StagedFile>();
    for (const target of [...staged.keys()].filter(({ hash }) => hash !== null)) {
      const unfinished = pending.find(({ path }) => path === target.path);
      const copy = await orBlocked(files, target.path, async () => {
        const good = unfinished ? await mend.readGood(unfinished) : target.disk;
        return good && good.odd === undefined ? stageOne(target, good.bytes, staging) : undefined;
      });
      if (!copy) return undefined;
      copies.set(target, copy);
    }
    return copies;
  }

  return { stageAll, check };
}
