import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Host, Installed, InstallFile, InstallSteps } from "../../core/host.ts";
import { Fatal, Held, Later, reason } from "../../core/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import { type Debt, type Loaded, openBook } from "./book.ts";
import { checkOn, stagedSet } from "./check.ts";
import { dryInstall } from "./dry.ts";
import { keepAside, keepGood, openFolder, removeGoodBut, removeStaged, type Stage, stage } from "./folder.ts";
import { difference } from "./hand-edit.ts";
import { type Repair, repair } from "./repair.ts";
import { commandsOf, runStep, type StepContext } from "./step.ts";
import { hashOf, type InPlace, readInPlace, readTargets, type Target } from "./target.ts";

/** Puts files in force: design.md, "host.install". Each step is durable before the next, so that whoever starts again knows what is owed. */

/** A text whose reload or probe failed, while the last good one passes, is tried so many times. */
const tries = 3;
/**
 * Never closer than this, in milliseconds. By default systemd starts a unit 5 times in 10 s and then no more (StartLimitBurst),
 * and each failed try costs two starts: the new text's and the last good one's.
 */
const spacing = 5000;
/** The third fight over a path within this time holds the service. */
const fightTime = 60 * 60_000;
const fightLimit = 3;

export interface InstallerOptions {
  readonly database: DatabaseSync;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly service: string;
  /** The service has secret columns: its files are 0600 and no part of them is shown. */
  readonly secret: boolean;
  readonly log: (message: string) => void;
}

/** What became of an install, and whether what is now in force is proved. */
export interface Outcome {
  readonly installed: Installed;
  readonly proved: boolean;
}

export interface Installer {
  /**
   * Puts files in force as one transaction. Throws `Fatal` when the text is to blame (it waits for another one or for `forgive`),
   * `Later` when it may be tried again after a while, `Held` when somebody else keeps writing the same file, and any other error
   * when the machine is to blame. In all these cases the last good files are, or stay, in place.
   */
  install(files: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<Outcome>;
  /** Forgets the failed attempts: a text that was given up is tried again. */
  forgive(): void;
  /** Lets trigger have its way again with the files that it fought over. */
  approve(): void;
}

/** One install under way. */
export interface Work {
  readonly targets: readonly Target[];
  readonly steps: InstallSteps;
  readonly context: StepContext;
  /** Names the set of paths, and the set of their texts. */
  readonly paths: string;
  readonly texts: string;
}

export function installer(options: InstallerOptions): Installer {
  const { database, machine, clock, service, secret, log } = options;
  const { files } = machine;
  const book = openBook(database, service);
  const mend: Repair = repair({ book, files, log });

  async function install(wanted: readonly InstallFile[], steps: InstallSteps, host: Host): Promise<Outcome> {
    if (wanted.length === 0) return { installed: "unchanged", proved: true };
    host.signal.throwIfAborted();
    const targets = await readTargets(files, wanted);
    for (const { path } of targets) book.own(path);
    const context = { machine, host, secret };
    if (machine.dry) return { installed: await dryInstall(targets, steps, context, log), proved: false };

    const work: Work = { targets, steps, context, ...namesOf(targets) };
    for (const { path } of targets) await removeStaged(files, path);
    const debts = book.debts(targets.map(({ path }) => path));
    if (debts.length === 0 && targets.every(inForce)) {
      const proved = targets.every(({ path }) => book.loaded(path)?.proved);
      if (proved || !steps.probe) return { installed: "unchanged", proved };
      if (await passes(() => prove(work))) return { installed: "proved", proved: true };
    }

    const staging = stage(files, log);
    try {
      let staged: ReadonlyMap<Target, string>;
      try {
        refuse(work, debts);
        staged = await stageMoving(work, debts, staging);
        await check(work, debts, staged, staging);
        host.signal.throwIfAborted();
      } catch (error) {
        // Whatever becomes of the new text, what an interrupted install has left in place gets the reload it is owed.
        const mayReload = !host.signal.aborted && !(error instanceof Later);
        if (debts.length > 0 && mayReload && !(await mend.settleOwed(debts, work))) tooSoon(work, reason(error));
        throw error;
      }
      await replace(debts, staged, staging);
    } finally {
      await staging.clear();
    }
    return force(work);
  }

  const inForce = ({ path, hash, disk }: Target): boolean => hash === disk?.hash && hash === book.loaded(path)?.hash;

  /** Throws when this install may not be tried, or not yet. */
  function refuse({ targets, paths, texts }: Work, debts: readonly Debt[]): void {
    const now = clock.now();
    for (const { path } of targets) {
      const held = book.held(path);
      if (held !== null) throw new Held(held);
    }
    for (const target of targets.filter((candidate) => fought(candidate, debts))) {
      const { path } = target;
      const fights = [...book.fights(path, now - fightTime), now];
      if (fights.length < fightLimit) continue;
      const times = fights.map((at) => new Date(at).toISOString()).join(", ");
      const why = `somebody else keeps writing ${path} (${times}): it stays as it is until \`trigger approve\``;
      if (target.disk) log(`${why}\n${difference(target, target.disk, secret)}`);
      book.hold(path, why);
      throw new Held(why);
    }
    const attempt = book.attempt(paths);
    if (!attempt) return;
    if (attempt.texts === texts && attempt.failures >= tries) throw new Fatal(attempt.why);
    const since = now - attempt.at;
    if (since >= 0 && since < spacing) throw new Later(attempt.why, spacing - since);
  }

  /** Whether somebody else changed or removed what this service has put there. */
  function fought({ path, hash, disk }: Target, debts: readonly Debt[]): boolean {
    const loaded = book.loaded(path);
    const now = disk?.hash ?? null;
    if (!loaded || now === hash) return false;
    const debt = debts.find((candidate) => candidate.path === path);
    return debt ? now !== debt.to && now !== debt.goodHash : now !== loaded.hash;
  }

  /** Stages, durably, what differs from what is loaded, and all that is owed: what is in place then may never have reached the disk. */
  async function stageMoving(
    { targets }: Work,
    debts: readonly Debt[],
    staging: Stage,
  ): Promise<ReadonlyMap<Target, string>> {
    const owed = new Set(debts.map(({ path }) => path));
    const differing = targets.filter((target) => owed.has(target.path) || !inForce(target));
    // All may be in force, and only the probe say that the daemon does not serve them: then all are loaded again.
    const staged = new Map<Target, string>();
    for (const target of differing.length > 0 ? differing : targets) {
      await openFolder(files, target.path);
      staged.set(target, await staging.write(target.path, target.bytes, ownedBy(target)));
    }
    return staged;
  }

  /** An existing file keeps its owner and mode; one of a secret service is never wider than 0600. */
  function ownedBy({ file, disk }: Target): { mode: number; uid?: number; gid?: number } {
    const mode = disk?.stat.mode ?? file.mode ?? (secret ? 0o600 : 0o644);
    const owner = disk ? { uid: disk.stat.uid, gid: disk.stat.gid } : {};
    return { mode: secret ? mode & 0o600 : mode, ...owner };
  }

  async function check(
    { targets, steps, context }: Work,
    debts: readonly Debt[],
    staged: ReadonlyMap<Target, string>,
    staging: Stage,
  ): Promise<void> {
    if (!steps.check) return;
    const step = steps.check;
    const checkSet = async (set: ReadonlyMap<Target, string>) =>
      runStep(checkOn(step, await stagedSet(files, targets, set, staging)), context);
    try {
      await checkSet(staged);
    } catch (error) {
      if (context.host.signal.aborted || error instanceof Fatal) throw error;
      const names = [...staged.keys()].map(({ path }) => path).join(", ");
      const good = new Map<Target, string>();
      for (const target of staged.keys()) {
        const debt = debts.find(({ path }) => path === target.path);
        const lastGood = debt ? await mend.readGood(debt) : target.disk;
        if (lastGood) good.set(target, await staging.write(target.path, lastGood.bytes, ownedBy(target)));
      }
      const why = `the check of ${names} failed: ${reason(error)}`;
      if (good.size < staged.size) throw new Error(`${why} (there is no last good text to compare with)`);
      if (await passes(() => checkSet(good)))
        throw new Fatal(`${why} (the last good text passes it)`, { cause: error });
      throw new Error(`${why} (the last good text fails it too, so nothing is blamed)`, { cause: error });
    }
  }

  /** Keeps the last good files, writes down what is about to happen, and lets it happen. */
  async function replace(debts: readonly Debt[], staged: ReadonlyMap<Target, string>, staging: Stage): Promise<void> {
    const now = clock.now();
    const batch = randomUUID();
    const journal: Debt[] = [];
    const fights: string[] = [];
    for (const target of staged.keys()) {
      const { path, disk, hash } = target;
      const debt = debts.find((candidate) => candidate.path === path);
      const isFought = fought(target, debts);
      if (isFought) fights.push(path);
      const foreign = isFought || (!book.loaded(path) && disk?.hash !== hash);
      if (foreign && disk) await setAside(target, disk, now, isFought);
      else if (isFought) log(`${path} was removed by somebody else: it is put back`);
      journal.push({ path, batch, to: hash, ...(await lastGood(target, debt)) });
    }
    const others = debts.filter(({ path }) => !journal.some((entry) => entry.path === path));
    book.journal([...journal, ...others.map((debt) => ({ ...debt, batch }))], { fights, now });
    try {
      for (const [{ path }, name] of staged) await staging.putInPlace(name, path);
      await mend.syncNames(journal);
    } catch (error) {
      // What is half in place must not wait there for the next run. The debt stays: that run stages all of it again from nothing.
      await mend.rollBack(journal).catch((again) => log(`the last good files could not be put back: ${reason(again)}`));
      throw error;
    }
    for (const { path, good } of journal) await removeGoodBut(files, path, good);
  }

  async function setAside(target: Target, disk: InPlace, now: number, isFought: boolean): Promise<void> {
    const aside = await keepAside(files, target.path, disk, { now, secret });
    const what = isFought ? "was changed by somebody else" : "was found, and trigger did not write it";
    log(`${target.path} ${what}: it is replaced, a copy is kept as ${aside}\n${difference(target, disk, secret)}`);
  }

  /** What to go back to: what is in place, but never the unproved text of an install that did not end. */
  async function lastGood({ path, disk }: Target, debt: Debt | undefined): Promise<Pick<Debt, "good" | "goodHash">> {
    if (debt && debt.goodHash === null) return { good: null, goodHash: null };
    if (debt && debt.good !== null && (await mend.linkIsGood(debt)))
      return { good: debt.good, goodHash: debt.goodHash };
    if (!disk) return { good: null, goodHash: null };
    return { good: await keepGood(files, path, disk), goodHash: disk.hash };
  }

  /** Makes the daemon have what is in place; goes back to the last good files when it will not. */
  async function force(work: Work): Promise<Outcome> {
    const { steps, context } = work;
    let failed: "reload" | "probe" = "reload";
    try {
      if (steps.reload) await runStep(steps.reload, context);
      failed = "probe";
      await prove(work);
      return { installed: steps.probe ? "proved" : "loaded", proved: steps.probe !== undefined };
    } catch (error) {
      // An aborted run says nothing of the text: the debt stays, and the next start settles it.
      context.host.signal.throwIfAborted();
      throw await goBack(work, failed, error);
    }
  }

  /** Puts the last good files back in force after a step that failed, and gives the error to throw. */
  async function goBack(work: Work, failed: "reload" | "probe", cause: unknown): Promise<Error> {
    const { targets, context, paths, texts } = work;
    const debts = book.debts(targets.map(({ path }) => path));
    const said = `the ${failed} of ${debts.map(({ path }) => path).join(", ")} failed`;
    tooSoon(work, said);
    await mend.rollBack(debts);
    const again = await mend.tryLastGood(debts, failed, work);
    context.host.signal.throwIfAborted();
    if (again.error !== undefined) {
      const blameless = `the last good text is back in place and fails it too, so nothing is blamed (${reason(again.error)})`;
      const later = new Later(`${said}; ${blameless}`, spacing, { cause });
      tooSoon(work, reason(later));
      return later;
    }
    const failures = failuresOf(work) + 1;
    const end =
      failures < tries ? "it will be tried again" : `given up after ${tries} tries, until it changes or a retry`;
    const why = `${said}; the last good text is back in force; ${end}`;
    const thrown = failures < tries ? new Later(why, spacing, { cause }) : new Fatal(why, { cause });
    book.settle(again.loaded, { failed: { paths, texts, failures, at: clock.now(), why: reason(thrown) } });
    return thrown;
  }

  /** How often these very texts have failed. */
  function failuresOf({ paths, texts }: Work): number {
    const before = book.attempt(paths);
    return before?.texts === texts ? before.failures : 0;
  }

  /** Notes a reload that failed, without blame, so that the next one keeps its distance. */
  function tooSoon(work: Work, why: string): void {
    const { paths, texts } = work;
    book.failed({ paths, texts, failures: failuresOf(work), at: clock.now(), why });
  }

  /** Runs the probe, if there is one, and writes down that what is in place is loaded. */
  async function prove({ targets, steps, context, paths }: Work): Promise<void> {
    if (steps.probe) await runStep(steps.probe, context);
    const known = steps.probe && typeof steps.probe !== "function" && !secret;
    const probe = known && steps.probe ? JSON.stringify(commandsOf(steps.probe)) : null;
    const proved = steps.probe !== undefined;
    const loaded = new Map<string, Loaded>(targets.map(({ path, hash }) => [path, { hash, proved, probe }]));
    for (const { path } of book.debts([...loaded.keys()])) {
      // Installed together with one of these, and no longer wanted: it stays, and the reload was its own too.
      if (loaded.has(path)) continue;
      loaded.set(path, { hash: (await readInPlace(files, path))?.hash ?? null, proved: false, probe: null });
    }
    book.settle(loaded, { paths });
  }

  return { install, forgive: book.forgive, approve: book.approve };
}

function namesOf(targets: readonly Target[]): { paths: string; texts: string } {
  const name = (words: string[]) => hashOf(Buffer.from(JSON.stringify(words.sort())));
  return {
    paths: name(targets.map(({ path }) => path)),
    texts: name(targets.map(({ path, hash }) => `${path} ${hash}`)),
  };
}

async function passes(step: () => Promise<void>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch {
    return false; // a question, and this is its answer: whoever asks has the error of the text in hand
  }
}
