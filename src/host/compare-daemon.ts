import type { DaemonCompared } from "../core/stream/report.ts";
import { reason } from "../core/util/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { withinDeadline } from "./within-deadline.ts";

/** What is waited for included, a daemon is compared within this time. */
const deadline = { milliseconds: 60_000, what: "the comparison" };
/** What was just repaired is to be in force first; what is owed longer than that is a difference. In milliseconds, as is how often it is looked at. */
const owedWithin = 5_000;
const pace = 200;
/** A comparison during which a run began says nothing; so often it is made again. */
const attempts = 3;

/** One service on its host, as far as a comparison of its daemon must know it. */
export interface Comparable {
  compare(signal: AbortSignal): Promise<DaemonCompared>;
  /** A run is under way, or the table is being repaired. */
  busy(): boolean;
  /** Something waits to be in force. */
  owes(): boolean;
  /** How many runs have begun. */
  runs(): number;
}

/** Compares the daemons of a host, one after the other. It never rejects, and keeps no run waiting: changes go first. */
export function daemonComparer(life: {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): (of: Comparable) => Promise<DaemonCompared> {
  const { clock } = life;
  let last: Promise<unknown> = Promise.resolve();

  async function quiet({ busy, owes }: Comparable, signal: AbortSignal): Promise<void> {
    let since = clock.monotonic();
    while (!signal.aborted && (busy() || (owes() && clock.monotonic() - since < owedWithin))) {
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
