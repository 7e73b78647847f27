import type { AsOf, DirectoryState } from "../../core/stream/messages.ts";
import { inSlices, type Progress, type SlicedWork } from "../../core/util/slices.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SteadyClock } from "./steady-clock.ts";
import type { InSteps, Moved, Transcription } from "./transcription.ts";

export interface MoverOptions {
  readonly tables: Pick<Transcription, "inSteps">;
  readonly steady: Pick<SteadyClock, "now">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The tables have moved, and can be spoken of. */
  moved(moved: Moved): void;
  log(line: string): void;
}

/** The one hand on the tables: it moves them by one change after the other, and a large change a slice at a time. */
export interface Mover {
  /** What the tables speak as of: it moves with them. */
  readonly asOf: AsOf;
  /** A change is under way. */
  readonly busy: boolean;
  /** The tables stand between two states: nothing can be said of them. */
  readonly settling: boolean;
  /** How far the change is, when it is a long one. */
  readonly progress: Progress | undefined;
  /** Takes a change when the one before is done, and then tells `taken`; all of it before this returns, unless it is long. Takes none after the signal. */
  move(
    change: (tables: InSteps, now: number) => SlicedWork<Moved>,
    state: DirectoryState,
    taken?: (moved: Moved) => void,
  ): Promise<void>;
  /** Brings the tables to the present clock, unless a change is under way: its end is followed by another look. */
  look(): Promise<void>;
}

export function mover({ tables, steady, clock, signal, moved, log }: MoverOptions): Mover {
  let asOf: AsOf = { state: [], clock: steady.now() };
  let free: PromiseWithResolvers<void> | undefined;
  let settling = false;
  let progress: Progress | undefined;
  const inSteps = tables.inSteps(() => {
    settling = true;
  });

  function end(): void {
    settling = false;
    progress = undefined;
    free?.resolve();
    free = undefined;
  }

  async function move(
    change: (tables: InSteps, now: number) => SlicedWork<Moved>,
    state: DirectoryState,
    taken?: (moved: Moved) => void,
  ) {
    while (free && !signal.aborted) await free.promise;
    if (signal.aborted) return;
    free = Promise.withResolvers();
    const between = (at: Progress): void => {
      progress = at;
    };
    const now = steady.now();
    const done = (result: Moved): void => {
      asOf = { state, clock: now };
      end();
      moved(result);
      taken?.(result);
    };
    try {
      await inSlices(change(inSteps, now), { clock, signal, between, done, log });
      // A change that the signal cut short lets those end that wait for it; of its half-moved tables nothing may be said.
      if (signal.aborted) free?.resolve();
    } catch (error) {
      end();
      throw error;
    }
  }

  return {
    get asOf() {
      return asOf;
    },
    get busy() {
      return free !== undefined;
    },
    get settling() {
      return settling;
    },
    get progress() {
      return progress;
    },
    move,
    async look() {
      if (!free) await move((tables, now) => tables.tick(now), asOf.state);
    },
  };
}
