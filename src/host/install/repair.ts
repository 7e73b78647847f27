import { dirname } from "node:path";
import type { Command } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { type Debt, type Loaded, onlyReloadOwed } from "../store/ledger.ts";
import { isStays, orStays } from "./apart.ts";
import { hashOf, type InPlace, readInPlace } from "./in-place.ts";
import { runStep } from "./step.ts";
import type { Ground, Work } from "./work.ts";

/** The way back: to the last good files, or to an end of an install that was interrupted. */

export type Repair = ReturnType<typeof repair>;

export function repair({ ledger, files, log }: Ground) {
  /** Whether the link still is the file that it was made for. */
  async function linkIsGood({ good, goodHash }: Debt): Promise<boolean> {
    const bytes = good === null ? undefined : await files.read(good);
    return bytes !== undefined && hashOf(bytes) === goodHash;
  }

  /** The last good file of a debt, where it still exists. */
  async function readGood(debt: Debt): Promise<InPlace | undefined> {
    if (debt.good !== null && (await linkIsGood(debt))) return readInPlace(files, debt.good);
    const disk = await readInPlace(files, debt.path);
    return disk?.hash === debt.goodHash ? disk : undefined;
  }

  /** Installs the last good files, through the same journal. */
  async function rollBack(debts: readonly Debt[]): Promise<void> {
    ledger.journal(debts.map((debt) => ({ ...debt, to: debt.goodHash })));
    const stay: unknown[] = [];
    for (const debt of debts) {
      try {
        await orStays(files, debt.path, () => putBack(debt));
      } catch (error) {
        // What others block at one path leaves no other half in place.
        if (!isStays(error)) throw error;
        stay.push(error);
      }
    }
    await syncNames(debts);
    if (stay.length > 0) throw stay[0];
  }

  async function putBack(debt: Debt): Promise<void> {
    const { path, good, goodHash } = debt;
    const disk = await readInPlace(files, path);
    if ((disk?.hash ?? null) === goodHash) return;
    if (goodHash === null) await files.remove(path);
    else if (good !== null && (await linkIsGood(debt))) await files.rename(good, path);
    else log(`${path}: the last good file is gone, so what is in place stays`);
  }

  /** Makes the names in the folders of debts durable. */
  async function syncNames(debts: readonly Debt[]): Promise<void> {
    for (const [directory, path] of new Map(debts.map(({ path }) => [dirname(path), path]))) {
      await orStays(files, path, async () => {
        // Of a file that is to go, the directory may have gone before.
        if (await files.stat(directory)) await files.sync(directory);
      });
    }
  }

  /** What is in place of some debts now, as loaded. */
  async function inPlace(debts: readonly Debt[], proved: boolean): Promise<Map<string, Loaded>> {
    const loaded = new Map<string, Loaded>();
    for (const { path } of debts) {
      const hash = (await readInPlace(files, path))?.hash ?? null;
      const before = ledger.loaded(path);
      const probe = before?.hash === hash ? before.probe : null;
      loaded.set(path, { hash, proved: proved && probe !== null, probe });
    }
    return loaded;
  }

  /** Tries the steps up to the one that failed on the last good files; a probe is then their own, where it is known: it proves a content. */
  async function tryLastGood(
    debts: readonly Debt[],
    failed: "reload" | "probe",
    { steps, context }: Work,
  ): Promise<{ loaded: Map<string, Loaded>; error?: unknown }> {
    const loaded = await inPlace(debts, failed === "probe");
    try {
      if (steps.reload) await runStep(steps.reload, context);
      if (failed === "probe") {
        const own = [...loaded.values()].find(({ probe }) => probe !== null)?.probe;
        const probe = own ? (JSON.parse(own) as Command[]) : steps.probe;
        if (probe) await runStep(probe, context);
      }
      return { loaded };
    } catch (error) {
      return { loaded, error };
    }
  }

  /** Gives what is in place the reload it is owed, and says whether it has; a set that an interrupted install has left half there goes back first. */
  async function settleOwed(debts: readonly Debt[], { steps, context }: Work): Promise<boolean> {
    try {
      const now = await inPlace(debts, false);
      const all = (hash: (debt: Debt) => string | null) =>
        debts.every((debt) => now.get(debt.path)?.hash === hash(debt));
      for (const debt of debts.filter(onlyReloadOwed)) {
        // Not put in force unchecked: the next text that passes its check shows it and keeps it aside.
        const isForeign = now.get(debt.path)?.hash !== debt.to;
        if (isForeign) throw new Error(`${debt.path} was changed by somebody else`);
      }
      const forward = all(({ to }) => to);
      const back = all(({ goodHash }) => goodHash);
      if (!forward && !back) await rollBack(debts);
      // The rename may have been the last thing that the interrupted install did.
      await syncNames(debts);
      try {
        if (steps.reload) await runStep(steps.reload, context);
      } catch (error) {
        if (!forward || back || context.host.signal.aborted) throw error;
        log(`the reload of an interrupted install failed, the last good text goes back: ${reason(error)}`);
        await rollBack(debts);
        if (steps.reload) await runStep(steps.reload, context);
      }
      ledger.settle(await inPlace(debts, false));
      return true;
    } catch (error) {
      // The debt stays, and the error of the install that is under way is the one to be told.
      log(`a reload is still owed: ${reason(error)}`);
      return false;
    }
  }

  return { linkIsGood, readGood, rollBack, syncNames, tryLastGood, settleOwed };
}
