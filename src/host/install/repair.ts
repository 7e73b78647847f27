import { dirname } from "node:path";
import type { Command } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { type Applied, onlyReloadPending, type PendingInstall } from "../store/ledger.ts";
import { isBlocked, orBlocked } from "./blocked.ts";
import { hashOf, type InPlace, readInPlace } from "./in-place.ts";
import { putGoodBack } from "./kept.ts";
import { runStep } from "./step.ts";
import type { InstallContext, Work } from "./work.ts";

/** Rollback to the last good files, or completion of an interrupted install. */

export type Repair = ReturnType<typeof repair>;

export function repair({ ledger, files, log }: InstallContext) {
  /** True if the link still leads to the file for which it was made. */
  async function linkIsGood({ good, goodHash }: PendingInstall): Promise<boolean> {
    const bytes = good === null ? undefined : await files.read(good);
    return bytes !== undefined && hashOf(bytes) === goodHash;
  }

  /** The last good file of an unfinished install, if it still exists. */
  async function readGood(unfinished: PendingInstall): Promise<InPlace | undefined> {
    if (unfinished.good !== null && (await linkIsGood(unfinished))) return readInPlace(files, unfinished.good);
    const disk = await readInPlace(files, unfinished.path);
    return disk?.hash === unfinished.goodHash ? disk : undefined;
  }

  /** Installs the last good files, through the same journal. */
  async function rollBack(pending: readonly PendingInstall[]): Promise<void> {
    ledger.journal(pending.map((unfinished) => ({ ...unfinished, to: unfinished.goodHash })));
    const stay: unknown[] = [];
    for (const unfinished of pending) {
      try {
        await orBlocked(files, unfinished.path, () => putBack(unfinished));
      } catch (error) {
        // A file that other users block leaves no other file half in place.
        if (!isBlocked(error)) throw error;
        stay.push(error);
      }
    }
    await syncNames(pending);
    if (stay.length > 0) throw stay[0];
  }

  async function putBack(unfinished: PendingInstall): Promise<void> {
    const { path, good, goodHash } = unfinished;
    const disk = await readInPlace(files, path);
    if ((disk?.hash ?? null) === goodHash) return;
    if (goodHash === null) await files.remove(path);
    else if (good !== null && (await linkIsGood(unfinished))) await putGoodBack({ files, log }, good, path);
    else log(`${path}: the last good file is missing, so the present one stays`);
  }

  /** Makes the names in the folders of pending files durable. */
  async function syncNames(pending: readonly PendingInstall[]): Promise<void> {
    for (const [directory, path] of new Map(pending.map(({ path }) => [dirname(path), path]))) {
      await orBlocked(files, path, async () => {
        // The directory of a file to remove may already be missing.
        if (await files.stat(directory)) await files.sync(directory);
      });
    }
  }

  /** The files that unfinished installs left in place, in their present state. */
  async function inPlace(pending: readonly PendingInstall[], serving: boolean): Promise<Map<string, Applied>> {
    const applied = new Map<string, Applied>();
    for (const { path } of pending) {
      const hash = (await readInPlace(files, path))?.hash ?? null;
      const before = ledger.applied(path);
      const probe = before?.hash === hash ? before.probe : null;
      applied.set(path, { hash, serving: serving && probe !== null, probe });
    }
    return applied;
  }

  /**
   * Tries the steps, up to the failed one, on the last good files. It uses their own probe, if known, since a probe
   * looks for their content.
   */
  async function tryLastGood(
    pending: readonly PendingInstall[],
    failed: "reload" | "probe",
    { steps, context }: Work,
  ): Promise<{ applied: Map<string, Applied>; error?: unknown }> {
    const applied = await inPlace(pending, failed === "probe");
    try {
      if (steps.reload) await runStep(steps.reload, context);
      if (failed === "probe") {
        const own = [...applied.values()].find(({ probe }) => probe !== null)?.probe;
        const probe = own ? (JSON.parse(own) as Command[]) : steps.probe;
        if (probe) await runStep(probe, context);
      }
      return { applied };
    } catch (error) {
      return { applied, error };
    }
  }

  /**
   * Runs the pending reload of the files in place; true if it succeeded. A set that an interrupted install left half in
   * place is rolled back first.
   */
  async function settlePending(pending: readonly PendingInstall[], { steps, context }: Work): Promise<boolean> {
    try {
      const now = await inPlace(pending, false);
      const all = (hash: (unfinished: PendingInstall) => string | null) =>
        pending.every((unfinished) => now.get(unfinished.path)?.hash === hash(unfinished));
      for (const unfinished of pending.filter(onlyReloadPending)) {
        // A foreign text is not applied unchecked: the next text that passes its check shows it and keeps it aside.
        const isForeign = now.get(unfinished.path)?.hash !== unfinished.to;
        if (isForeign) throw new Error(`${unfinished.path} was changed by another program`);
      }
      const forward = all(({ to }) => to);
      const back = all(({ goodHash }) => goodHash);
      if (!forward && !back) await rollBack(pending);
      // The rename may have been the last step of the interrupted install.
      await syncNames(pending);
      try {
        if (steps.reload) await runStep(steps.reload, context);
      } catch (error) {
        if (!forward || back || context.host.signal.aborted) throw error;
        log(`the reload of an interrupted install failed; the last good text is restored: ${reason(error)}`);
        await rollBack(pending);
        if (steps.reload) await runStep(steps.reload, context);
      }
      ledger.settle(await inPlace(pending, false));
      return true;
    } catch (error) {
      // The reload stays pending; the error of the current install is the one to report.
      log(`a reload is still pending: ${reason(error)}`);
      return false;
    }
  }

  return { linkIsGood, readGood, rollBack, syncNames, tryLastGood, settlePending };
}
