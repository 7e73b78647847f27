/** Long work that is done in slices, so that the process can do other work in between. */

/** The progress of a long work. */
export interface Progress {
  /** The present stage: "evaluating dhcp". */
  readonly what: string;
  readonly done: number;
  readonly of: number;
}

/** Work in steps, each a fraction of a millisecond: other work may run between two of them. */
export type SlicedWork<T> = Generator<Progress, T, void>;

/** The part of a clock that slices need. */
interface Watch {
  monotonic(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The longest duration of a slice, in milliseconds: it hardly delays a message or a probe. */
const sliceLength = 20;

/** The interval between two log lines about the progress of a long work, in milliseconds. */
const sayEvery = 5000;

export interface Slicing<T> {
  readonly clock: Watch;
  readonly signal: AbortSignal;
  /** Called after each slice but the last. */
  readonly between?: (progress: Progress) => void;
  /** Called with the result, at once when the last step is done; never after the signal aborts. */
  readonly done?: (result: T) => void;
  readonly log: (line: string) => void;
}

/** Runs all the steps at once. */
export function atOnce<T>(steps: SlicedWork<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs the steps in slices until the signal aborts. Work that fits into the first slice is done before this returns.
 */
export async function inSlices<T>(
  steps: SlicedWork<T>,
  { clock, signal, between, done, log }: Slicing<T>,
): Promise<void> {
  let saidAt = clock.monotonic();
  for (let step = slice(steps, clock); ; step = slice(steps, clock)) {
    if (step.done) return done?.(step.value);
    between?.(step.value);
    if (clock.monotonic() - saidAt >= sayEvery) {
      log(sayProgress(step.value));
      saidAt = clock.monotonic();
    }
    await clock.sleep(1, signal);
    if (signal.aborted) return;
  }
}

/** Runs steps for the time of one slice, and returns the result of the last one. */
function slice<T>(steps: SlicedWork<T>, clock: Pick<Watch, "monotonic">): IteratorResult<Progress, T> {
  const end = clock.monotonic() + sliceLength;
  for (;;) {
    const step = steps.next();
    if (step.done || clock.monotonic() >= end) return step;
  }
}

/** Progress for people: "evaluating dhcp: 120,000 of 400,000". */
export const sayProgress = ({ what, done, of }: Progress): string =>
  `${what}: ${done.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}`;
