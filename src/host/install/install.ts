import type { Host, Installed, InstallFile, InstallSteps } from "../../core/service/host-api.ts";
import { Away, CommandFailed, Later, reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import { type PendingInstall, pendingReload } from "../store/ledger.ts";
import type { ServiceStore } from "../store/service-store.ts";
import { activation } from "./activate.ts";
import { isBlocked, orBlocked, withoutBlocked } from "./blocked.ts";
import { prepareCheck, type Staged } from "./check.ts";
import { dryInstall } from "./dry.ts";
import { fileRemovals } from "./file-removals.ts";
import { type Stage, stage } from "./folder.ts";
import { handEdits } from "./hand-edit.ts";
import { listing, removeStaged } from "./kept.ts";
import { repair } from "./repair.ts";
import { replacement } from "./replace.ts";
import { runStep } from "./step.ts";
import { type BlockedFile, readTargets, type Target } from "./target.ts";
import { textCheck } from "./text-check.ts";
import { type Work, workOn } from "./work.ts";

/**
 * Installs files: stage, check, keep the last good ones, journal, replace, reload, probe, settle. Each step is durable
 * before the next one, so a restarted process knows the pending reloads.
 */

export interface InstallerOptions {
  readonly store: ServiceStore;
  readonly machine: Machine;
  readonly clock: Clock;
  /**
   * True if the service has secret columns: its files are 0600, and no part of them and no output of a command is shown.
   */
  readonly secret: boolean;
  /** True if the state of the daemon is unknown: files that it was seen to serve are probed again. False by default. */
  readonly unsure?: boolean;
  /** Returns how many of a number of files may be removed in this run without a question. All may if it is absent. */
  readonly removable?: ((files: number) => number) | undefined;
  readonly log: (message: string) => void;
}

/** The outcome of an install. */
export interface InstallOutcome {
  readonly installed: Installed;
  /** True if the daemon was seen to serve the files in place; undefined without a probe. */
  readonly serving: true | undefined;
  /** The number of files that were removed without a person's approval. */
  readonly removedUnasked?: number;
  /** Files that could not be installed or removed, because another user changed their place or folder. */
  readonly blocked?: readonly BlockedFile[];
}

export interface Installer {
  /**
   * Installs files as one transaction. In all errors the last good files are, or stay, in place.
   * `Fatal`: the text is to blame; it waits for another one or for `forgive`.
   * `Later`: it may be tried again after a while.
   * `Held`: another program keeps writing the same file.
   * Any other error: the machine is to blame.
   */
  install(files: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<InstallOutcome>;
  /**
   * Runs the check alone, on staged files, and installs nothing. Returns the check's message if it refuses them; throws
   * if it cannot be run.
   */
  tryOut(files: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<string | undefined>;
  /**
   * Throws `Held` if an install would: for a file that is not trigger's, that another program keeps writing, or that is
   * one of many removals.
   */
  throwIfHeld(files: readonly InstallFile[], steps: InstallSteps): Promise<void>;
  /** True if one of the files exists with a different text. */
  wouldReplace(files: readonly InstallFile[]): Promise<boolean>;
  /** Forgets the failed attempts: a text that was given up is tried again. */
  forgive(): void;
  /**
   * Makes the reload of every file pending, durably: its next install checks, reloads and probes it even without a
   * change.
   */
  requireReload(): void;
  /** Drops the pending reload of files that this installer did not install, since no install would end it. */
  dropUnwanted(): void;
}

export function installer(options: InstallerOptions): Installer {
  const { store, machine, clock, secret, unsure = false, removable, log } = options;
  const { files, kept } = machine;
  const { ledger, records } = store;
  const owned = records.owned(clock.now);
  const restOf = (unit: string): number => store.starts.restOf(unit, clock.now());
  const { isHeld } = records;
  const context = { ledger, files, kept, owned, isHeld, clock, secret, restOf, removable, log };
  const mend = repair(context);
  const edits = handEdits(context);
  const replace = replacement(context, { mend, edits, records });
  const removals = fileRemovals(context);
  const { stageAll, check } = textCheck(context, mend);
  const { holdBack, activate, settle, keepDistance } = activation(context, mend);
  const wantedPaths = new Set<string>();

  const served = ({ probe }: InstallSteps): true | undefined => (probe ? true : undefined);
  const isKnown = (path: string): boolean => ledger.applied(path) !== undefined;

  /** The wanted files, those to remove, and those that are blocked. */
  async function readAll(wanted: readonly InstallFile[], { all = false }: InstallSteps, dry: boolean) {
    const given = await readTargets(files, wanted, { skipUnreadable: all });
    const left = all ? await removals.read(given, dry) : { targets: [], blocked: [] };
    return { given: given.targets, toRemove: left.targets, blocked: [...given.blocked, ...left.blocked] };
  }

  async function attempt(
    { wanted, steps, host }: { wanted: readonly InstallFile[]; steps: InstallSteps; host: Host },
    known: readonly BlockedFile[],
  ): Promise<InstallOutcome> {
    host.signal.throwIfAborted();
    const read = await readAll(wanted, steps, machine.dry);
    const blocked = [...read.blocked, ...known];
    const isUsable = ({ path }: Target): boolean => !known.some((one) => one.path === path);
    const given = read.given.filter(isUsable);
    const targets = [...given, ...read.toRemove.filter(isUsable)];
    if (targets.length === 0) return { installed: "unchanged", serving: served(steps), blocked };
    const paths = targets.map(({ path }) => path);
    for (const path of paths) {
      ledger.own(path);
      wantedPaths.add(path);
    }
    const stepContext = { machine, host, secret };
    if (machine.dry) {
      const installed = await dryInstall(targets, steps, stepContext, { isKnown, log });
      ledger.wrote(given);
      return { installed, serving: undefined, blocked };
    }

    // An unused approval to remove a file ends once the file is wanted again.
    for (const { path } of given.filter(isApplied)) if (records.isHeldOrApproved(path)) records.forget(path);
    const work = workOn(targets, steps, stepContext);
    const listed = listing(machine);
    for (const path of paths) await orBlocked(files, path, () => removeStaged(listed, path));
    if (ledger.pending(paths).length === 0 && targets.every(isApplied)) {
      const outcome = await askProbe(work);
      if (outcome) return { ...outcome, blocked };
    }
    const pending = ledger.pending(paths);

    const staging = stage(files, log);
    try {
      const staged = await prepare(work, pending, staging);
      host.signal.throwIfAborted();
      await replace(staged, pending, { staging, listed });
    } finally {
      await staging.clear();
    }
    await activate(work);
    const removedUnasked = removals.unasked(targets);
    blocked.push(...(await removals.clear(targets)));
    return { installed: steps.probe ? "serving" : "applied", serving: served(steps), removedUnasked, blocked };
  }

  async function install(wanted: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<InstallOutcome> {
    if (wanted.length === 0 && !steps.all) return { installed: "unchanged", serving: served(steps) };
    return withoutBlocked(steps.all ?? false, (blocked) => attempt({ wanted, steps, host }, blocked));
  }

  const isApplied = ({ path, hash, disk }: Target): boolean =>
    hash === (disk?.hash ?? null) && hash === (ledger.applied(path)?.hash ?? null);

  /**
   * The outcome for applied files by the ledger. It runs the probe if that may tell more. Undefined if their reload is
   * now pending.
   */
  async function askProbe(work: Work): Promise<InstallOutcome | undefined> {
    const { targets, steps, context } = work;
    ledger.wrote(targets);
    if (!steps.probe) return { installed: "unchanged", serving: undefined };
    const paths = targets.map(({ path }) => path);
    const serving = paths.every((path) => ledger.applied(path)?.serving);
    if (serving && !unsure) return { installed: "unchanged", serving };
    try {
      await runStep(steps.probe, context);
    } catch (error) {
      context.host.signal.throwIfAborted();
      log(`${paths.join(", ")}: in place, but the probe failed, so it is reloaded: ${reason(error)}`);
      ledger.journal(pendingReload(targets));
      return undefined;
    }
    // A reload may have been requested while the probe ran.
    if (ledger.pending(paths).length > 0) return undefined;
    await settle(work);
    return { installed: serving ? "unchanged" : "serving", serving: true };
  }

  /** Runs all steps that can fail before any file is replaced. */
  async function prepare(work: Work, pending: readonly PendingInstall[], staging: Stage): Promise<Staged> {
    try {
      edits.holdEdited(work.targets, pending);
      await edits.holdFound(work.targets);
      removals.holdMany(work.targets);
      holdBack(work);
      const staged = await stageDiffering(work, pending, staging);
      await check(work, pending, staged, staging);
      return staged;
    } catch (error) {
      // Even if the new text fails, files left in place by an interrupted install get their pending reload.
      const mayReload = !work.context.host.signal.aborted && !(error instanceof Later) && !isBlocked(error);
      if (pending.length > 0 && mayReload && !(await mend.settlePending(pending, work)))
        keepDistance(work, reason(error));
      throw error;
    }
  }

  /**
   * Stages, durably, the files that differ from the applied ones, and all pending ones: those in place may never have
   * reached the disk.
   */
  async function stageDiffering(
    { targets }: Work,
    pending: readonly PendingInstall[],
    staging: Stage,
  ): Promise<Staged> {
    const unfinished = new Set(pending.map(({ path }) => path));
    const moving = targets.filter((target) => unfinished.has(target.path) || !isApplied(target));
    return stageAll(moving, staging);
  }

  async function tryOut(
    { wanted, steps, host }: { wanted: readonly InstallFile[]; steps: InstallSteps; host: Host },
    known: readonly BlockedFile[],
  ): Promise<string | undefined> {
    const step = steps.check;
    if (!step || wanted.length === 0) return undefined;
    const read = await readTargets(files, wanted, { skipUnreadable: steps.all ?? false });
    const targets = read.targets.filter(({ path }) => !known.some((one) => one.path === path));
    const staging = stage(files, log);
    try {
      const moving = targets.filter(({ hash, disk }) => hash !== disk?.hash);
      const staged = await stageAll(moving, staging);
      await using check = await prepareCheck(step, targets, { staged, staging, context: { machine, host, secret } });
      await check.run();
      return undefined;
    } catch (error) {
      host.signal.throwIfAborted();
      const says = error instanceof CommandFailed || (typeof step === "function" && !(error instanceof Away));
      if (!says) throw error;
      return reason(error);
    } finally {
      await staging.clear();
    }
  }

  return {
    install,
    tryOut: (wanted, steps, host) =>
      withoutBlocked(steps.all ?? false, (blocked) => tryOut({ wanted, steps, host }, blocked)),
    async throwIfHeld(wanted, steps) {
      const { given, toRemove } = await readAll(wanted, steps, true);
      const targets = [...given, ...toRemove];
      await edits.throwIfHeld(targets);
      removals.holdMany(targets);
    },
    wouldReplace: async (wanted) =>
      (await readTargets(files, wanted)).targets.some(({ hash, disk }) => disk !== undefined && disk.hash !== hash),
    forgive: ledger.forgive,
    requireReload: ledger.requireReload,
    dropUnwanted: () => ledger.dropReloadsBut(wantedPaths),
  };
}
