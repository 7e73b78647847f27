import type { DaemonCompared } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The longest comparison of a daemon, its waits included. */
const deadline = { milliseconds: 60_000, what: "the comparison" };
/** A change that was just stored is applied first; one that is pending longer is a difference. Both in milliseconds. */
const pendingWithin = 5_000;
const pace = 200;
/** A comparison during which a run began says nothing: the number of attempts. */
const attempts = 3;

/** One service on its host, as far as a comparison of its daemon must know it. */
export interface Comparable {
  compare(signal: AbortSignal): Promise<DaemonCompared>;
  /** A run is under way, or the table is being repaired. */
  busy(): boolean;
  /** Something waits to be applied. */
  isPending(): boolean;
  /** The number of runs that have begun. */
  runs(): number;
}

/** Compares the daemons of a host, one after the other. It never rejects, and keeps no run waiting: changes go first. */
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
      why: `${reason(error)}${of.busy() ? "; it is run on its rows, or they are repaired, all the while" : ""}`,
    }));

  return (of) => {
    const next = last.then(() => compare(of));
    last = next;
    return next;
  };
}
