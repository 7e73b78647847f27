import type { DaemonCompared } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The longest comparison of a daemon, with its waits. */
const deadline = { milliseconds: 60_000, what: "the comparison" };
/**
 * The wait for a pending change to be applied before the comparison; a change still pending after it is a difference.
 * In milliseconds.
 */
const pendingWithin = 5_000;
const pace = 200;
/** The number of attempts: a comparison during which a run began has no result. */
const attempts = 3;

/** One service on its host, as a comparison of its daemon sees it. */
export interface Comparable {
  compare(signal: AbortSignal): Promise<DaemonCompared>;
  /** True while a run is under way, or the table is being repaired. */
  busy(): boolean;
  /** True if a change is pending. */
  isPending(): boolean;
  /** The number of runs that have begun. */
  runs(): number;
}

/**
 * Compares the daemons of a host, one after the other. It never rejects, and delays no run: changes take precedence.
 */
export function daemonComparer(life: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): (of: Comparable) => Promise<DaemonCompared> {
  const { clock } = life;
  let last: Promise<unknown> = Promise.resolve();

  async function quiet({ busy, isPending }: Comparable, signal: AbortSignal): Promise<void> {
    let since = clock.monotonic();
    while (!signal.aborted && (busy() || (isPending() && clock.monotonic() - since < pendingWithin))) {
      if (busy()) since = clock.monotonic();
      await clock.sleep(pace, signal);
    }
  }

  async function compareQuiet(of: Comparable, signal: AbortSignal): Promise<DaemonCompared> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      await quiet(of, signal);
      const runs = of.runs();
      const found = await of.compare(signal);
      if (found.state === "failed" || (of.runs() === runs && !of.busy())) return found;
    }
    return { state: "failed", why: `its rows were changed during each of ${attempts} attempts` };
  }

  const compare = (of: Comparable): Promise<DaemonCompared> =>
    withinDeadline(life, deadline, (signal) => compareQuiet(of, signal)).catch((error) => ({
      state: "failed",
      why: `${reason(error)}${of.busy() ? "; runs or repairs of its rows took all the time" : ""}`,
    }));

  return (of) => {
    const next = last.then(() => compare(of));
    last = next;
    return next;
  };
}
