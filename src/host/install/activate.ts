import { Away, Fatal, Later, reason } from "../../core/util/errors.ts";
import type { Applied } from "../store/ledger.ts";
import { isBlocked, orBlocked } from "./blocked.ts";
import { readInPlace } from "./in-place.ts";
import type { Repair } from "./repair.ts";
import { unitsStarted } from "./start-limit.ts";
import { commandsOf, runStep } from "./step.ts";
import type { InstallContext, Work } from "./work.ts";

/** The second half of an install: the daemon applies the files in place, or the last good files are restored. */

/** The number of tries of a text whose reload or probe fails while the last good one passes. */
const tries = 3;
/** The least time between two reloads, in milliseconds; systemd's limit of starts of the unit may ask for more. */
const spacing = 5000;

export function activation({ ledger, files, clock, secret, restOf }: InstallContext, mend: Repair) {
  /**
   * Throws if these texts were given up or were tried a moment ago, or if systemd would refuse another start of their
   * unit.
   */
  function holdBack({ paths, texts, steps }: Work): void {
    const attempt = ledger.attempt(paths);
    if (attempt?.texts === texts && attempt.failures >= tries) throw new Fatal(attempt.why);
    const since = attempt ? clock.now() - attempt.at : spacing;
    // After a clock was set back, the time since the last try is unknown.
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

  /**
   * Reloads and probes the files in place. If one of the two fails, it rolls back to the last good files and throws.
   */
  async function activate(work: Work): Promise<void> {
    const { steps, context } = work;
    let failed: "reload" | "probe" = "reload";
    try {
      if (steps.reload) await runStep(steps.reload, context);
      failed = "probe";
      if (steps.probe) await runStep(steps.probe, context);
    } catch (error) {
      // An aborted run is no verdict on the text: the reload stays pending for the next run.
      context.host.signal.throwIfAborted();
      // An absent daemon is no verdict either: it reads the checked files in place when it starts.
      if (error instanceof Away) throw error;
      throw await rollBack(work, failed, error);
    }
    await settle(work);
  }

  /** Notes in the ledger that the daemon has applied the files in place, and whether a probe saw it serve them. */
  async function settle({ targets, steps, paths }: Work): Promise<void> {
    const { probe } = steps;
    const known = probe && typeof probe !== "function" && !secret ? JSON.stringify(commandsOf(probe)) : null;
    const serving = probe !== undefined;
    const applied = new Map<string, Applied>(targets.map(({ path, hash }) => [path, { hash, serving, probe: known }]));
    for (const { path } of ledger.pending([...applied.keys()])) {
      // A file that was installed together with one of these and is no longer wanted stays. This reload was also the
      // reload of that file.
      if (applied.has(path)) continue;
      try {
        const disk = await orBlocked(files, path, () => readInPlace(files, path));
        applied.set(path, { hash: disk?.hash ?? null, serving: false, probe: null });
      } catch (error) {
        // A file that other users block is the only one that stays pending.
        if (!isBlocked(error)) throw error;
      }
    }
    ledger.settle(applied, { paths, wrote: targets });
  }

  /** Restores the last good files after a step that failed, and returns the error to throw. */
  async function rollBack(work: Work, failed: "reload" | "probe", cause: unknown): Promise<Error> {
    const { targets, context, paths, texts } = work;
    const pending = ledger.pending(targets.map(({ path }) => path));
    const said = `the ${failed} of ${pending.map(({ path }) => path).join(", ")} failed`;
    if (pending.every(({ to, goodHash }) => to === goodHash)) {
      // The failed text is itself the last good one: it stays pending, and no text is to blame.
      const later = new Later(
        `${said}; it is the last good text itself, so no text is to blame`,
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
      const why = `the text before it is restored and fails, too, so no text is to blame (${reason(again.error)})`;
      const later = new Later(`${said}; ${why}`, rest(work.steps, spacing), { cause });
      keepDistance(work, reason(later));
      return later;
    }
    const failures = failuresOf(work) + 1;
    const last = failures >= tries;
    const next = last
      ? `given up after ${tries} tries, until it changes or \`trigger retry\``
      : "it will be tried again";
    const why = `${said}; the last good text is restored; ${next}`;
    const thrown = last ? new Fatal(why, { cause }) : new Later(why, rest(work.steps, spacing), { cause });
    ledger.settle(again.applied, { failed: { paths, texts, failures, at: clock.now(), why: reason(thrown) } });
    return thrown;
  }

  /** The number of failures of exactly these texts. */
  function failuresOf({ paths, texts }: Work): number {
    const before = ledger.attempt(paths);
    return before?.texts === texts ? before.failures : 0;
  }

  /** Notes a failed reload for which no text is to blame, so that the next one keeps its distance. */
  function keepDistance(work: Work, why: string): void {
    const { paths, texts } = work;
    ledger.failed({ paths, texts, failures: failuresOf(work), at: clock.now(), why });
  }

  return { holdBack, activate, settle, keepDistance };
}
