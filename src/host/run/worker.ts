import { backoff } from "../../core/util/backoff.ts";
import { Away, Fatal, Held, Later, reason, TextRefused } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { Unusable } from "../../sqlite/integrity.ts";

/**
 * Runs a service whenever a run is due: at once for the first change, then paced, and with a backoff while it fails.
 */

/** The waits after failures, in milliseconds: 1 s, doubled each time, at most 30 s. */
const waits = { first: 1000, longest: 30_000 };
/**
 * The wait before a daemon that does not answer is asked again, in milliseconds. A change must be applied within a
 * second of its return.
 */
const awayRetry = 500;

export interface Work {
  /** The least time between the starts of two runs, in milliseconds. */
  readonly pace: number;
  /** The milliseconds in which no run begins, even if a person asks: its daemon could not be started again. */
  rest?(): number;
  /** True if a run is due. */
  isDue(): boolean;
  /** Runs once; throws if the run must be tried again. */
  run(signal: AbortSignal): Promise<void>;
  /** Called when the report of the service may have changed. */
  onReportChanged(): void;
  log(line: string): void;
}

export interface Worker {
  /** Checks if a run is due now; with `again`, the run waits for no backoff. */
  poke(options?: { again?: boolean }): void;
  /** Resolves when the first run, if one was due, has ended, with or without success. */
  readonly started: Promise<void>;
  /** Resolves when the signal has aborted and the last run has ended. Rejects if the store can no longer be used. */
  readonly ended: Promise<void>;
}

/** Begins once `ready` resolves. */
export function worker(work: Work, ready: Promise<void>, clock: Clock, signal: AbortSignal): Worker {
  let failures = 0;
  let failing = false;
  let away = "";
  let notBefore = 0;
  let poked = false;
  let wake = new AbortController();
  let unusable: Unusable | undefined;

  async function runOnce(): Promise<void> {
    notBefore = clock.monotonic() + work.pace;
    try {
      await work.run(signal);
      if (failing) work.log("recovered");
      failing = false;
      failures = 0;
      away = "";
    } catch (error) {
      if (signal.aborted) return;
      if (failed(error)) return;
    }
    work.onReportChanged();
  }

  /** Decides when to try again; true if nothing can be tried any more. */
  function failed(error: unknown): boolean {
    failing = true;
    if (error instanceof Unusable) {
      unusable = error;
      return true;
    }
    if (error instanceof Away) {
      notBefore = clock.monotonic() + awayRetry;
      if (reason(error) !== away) work.log(`${reason(error)} (asked again until it answers)`);
      away = reason(error);
      return false;
    }
    failures += 1;
    const retryAfter = backoff(failures, waits);
    const wait = error instanceof Later ? Math.max(error.after, retryAfter) : retryAfter;
    notBefore = clock.monotonic() + wait;
    work.log(`${reason(error)} (${nextTry(error, wait)})`);
    return false;
  }

  /** A store that cannot be read now is asked again after the wait, like a run that failed. */
  function isDue(): boolean {
    try {
      return work.isDue();
    } catch (error) {
      failed(error);
      return true;
    }
  }

  function restNow(): number {
    try {
      return work.rest?.() ?? 0;
    } catch (error) {
      failed(error);
      return 0;
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      poked = false;
      wake = new AbortController();
      const due = isDue();
      if (unusable) throw unusable;
      const wait = Math.max(notBefore - clock.monotonic(), due ? restNow() : 0);
      if (due && wait <= 0) {
        await runOnce();
        continue;
      }
      // Without a due run only a poke ends the wait. With one, its time ends the wait, too.
      const either = AbortSignal.any([wake.signal, signal]);
      if (!poked) await (due ? clock.sleep(wait, either) : aborted(either));
    }
  }

  const started = ready.then(() => (!signal.aborted && isDue() && !unusable ? runOnce() : undefined));
  return {
    started,
    ended: started.then(loop),
    poke({ again = false } = {}) {
      if (again) {
        failures = 0;
        notBefore = 0;
      }
      poked = true;
      wake.abort("poked"); // without a reason Node would make an error each time, with its stack
    },
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** The end of the wait after a failed run, for the log; `wait` is in milliseconds. */
function nextTry(error: unknown, wait: number): string {
  if (error instanceof TextRefused) return "tried again ever more rarely";
  if (error instanceof Held) return "waits for a person";
  if (error instanceof Fatal) return "waits until its rows or its code change, or for `trigger retry`";
  return `again in ${wait / 1000} s`;
}
