import { Away, Fatal, Later, reason } from "../../core/util/errors.ts";
import type { Applied } from "../store/ledger.ts";
import { isStays, orStays } from "./apart.ts";
import { readInPlace } from "./in-place.ts";
import type { Repair } from "./repair.ts";
import { unitsStarted } from "./start-limit.ts";
import { commandsOf, runStep } from "./step.ts";
import type { InstallContext, Work } from "./work.ts";

/** The second half of an install: the daemon takes what is in place, or the last good files are put back. */

/** A text whose reload or probe failed, while the last good one passes, is tried so many times. */
const tries = 3;
/** Never closer than this, in milliseconds, nor than systemd starts the unit that is restarted. */
const spacing = 5000;

export function activation({ ledger, files, clock, secret, restOf }: InstallContext, mend: Repair) {
  /** Throws when these texts were given up, or were tried a moment ago, or when systemd would refuse to start their unit once more. */
  function holdBack({ paths, texts, steps }: Work): void {
    const attempt = ledger.attempt(paths);
    if (attempt?.texts === texts && attempt.failures >= tries) throw new Fatal(attempt.why);
    const since = attempt ? clock.now() - attempt.at : spacing;
    // A clock that was set back says nothing of the time since.
    if (attempt && since >= 0 && since < spacing) throw new Later(attempt.why, rest(steps, spacing - since));
    const wait = rest(steps);
    if (wait <= 0) return;
    const why = "its unit was started so often that systemd would refuse the next start";
    throw new Later(attempt ? `${attempt.why}; ${why}` : why, wait);
  }

  /** Milliseconds until the reload may be tried again. */
  function rest({ reload }: Work["steps"], least = 0): number {
    const commands = reload && typeof reload !== "function" ? commandsOf(reload) : [];
    return Math.max(least, ...commands.flatMap(unitsStarted).map(restOf));
  }

  /** Reloads and probes what is in place. Rolls back to the last good files, and throws, if one of the two fails. */
  async function activate(work: Work): Promise<void> {
    const { steps, context } = work;
    let failed: "reload" | "probe" = "reload";
    try {
      if (steps.reload) await runStep(steps.reload, context);
      failed = "probe";
      if (steps.probe) await runStep(steps.probe, context);
    } catch (error) {
      // An aborted run says nothing of the text: it stays pending, and the next run settles it.
      context.host.signal.throwIfAborted();
      // Nor does a daemon that is not there: what is checked and in place is what it will read when it starts.
      if (error instanceof Away) throw error;
      throw await rollBack(work, failed, error);
    }
    await settle(work);
  }

  /** Notes in the ledger that the daemon has what is in place, and whether a probe has shown it. */
  async function settle({ targets, steps, paths }: Work): Promise<void> {
    const { probe } = steps;
    const known = probe && typeof probe !== "function" && !secret ? JSON.stringify(commandsOf(probe)) : null;
    const proved = probe !== undefined;
    const applied = new Map<string, Applied>(targets.map(({ path, hash }) => [path, { hash, proved, probe: known }]));
    for (const { path } of ledger.pending([...applied.keys()])) {
      // Installed together with one of these, and no longer wanted: it stays, and the reload was its own too.
      if (applied.has(path)) continue;
      try {
        const disk = await orStays(files, path, () => readInPlace(files, path));
        applied.set(path, { hash: disk?.hash ?? null, proved: false, probe: null });
      } catch (error) {
        // What others block stays pending, and alone.
        if (!isStays(error)) throw error;
      }
    }
    ledger.settle(applied, { paths, wrote: targets });
  }

  /** Puts the last good files back after a step that failed, and gives the error to throw. */
  async function rollBack(work: Work, failed: "reload" | "probe", cause: unknown): Promise<Error> {
    const { targets, context, paths, texts } = work;
    const pending = ledger.pending(targets.map(({ path }) => path));
    const said = `the ${failed} of ${pending.map(({ path }) => path).join(", ")} failed`;
    if (pending.every(({ to, goodHash }) => to === goodHash)) {
      // A text is not compared with itself: it stays pending.
      const later = new Later(
        `${said}; it is the last good text itself, so nothing is blamed`,
        rest(work.steps, spacing),
        { cause },
      );
      keepDistance(work, reason(later));
      return later;
    }
    keepDistance(work, said);
    await mend.rollBack(pending);
    const again = await mend.tryLastGood(pending, failed, work);
    context.host.signal.throwIfAborted();
    if (again.error !== undefined) {
      const why = `what was there before is back and fails it too, so nothing is blamed (${reason(again.error)})`;
      const later = new Later(`${said}; ${why}`, rest(work.steps, spacing), { cause });
      keepDistance(work, reason(later));
      return later;
    }
    const failures = failuresOf(work) + 1;
    const last = failures >= tries;
    const next = last
      ? `given up after ${tries} tries, until it changes or \`trigger retry\``
      : "it will be tried again";
    const why = `${said}; the last good text is back in force; ${next}`;
    const thrown = last ? new Fatal(why, { cause }) : new Later(why, rest(work.steps, spacing), { cause });
    ledger.settle(again.applied, { failed: { paths, texts, failures, at: clock.now(), why: reason(thrown) } });
    return thrown;
  }

  /** How often these very texts have failed. */
  function failuresOf({ paths, texts }: Work): number {
    const before = ledger.attempt(paths);
    return before?.texts === texts ? before.failures : 0;
  }

  /** Notes a reload that failed, without blame, so that the next one does not come too soon. */
  function keepDistance(work: Work, why: string): void {
    const { paths, texts } = work;
    ledger.failed({ paths, texts, failures: failuresOf(work), at: clock.now(), why });
  }

  return { holdBack, activate, settle, keepDistance };
}
