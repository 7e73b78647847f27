import type { AsOf, DirectoryState } from "../../core/stream/messages.ts";
import { inSlices, type Progress, type SlicedWork } from "../../core/util/slices.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SteadyClock } from "./steady-clock.ts";
import type { SlicedTranscription, TableChanges, Transcription } from "./transcription.ts";

/** A change of the tables, at a time of the steady clock. */
export type TableChange = (tables: SlicedTranscription, now: number) => SlicedWork<TableChanges>;

export interface TableWriterOptions {
  readonly tables: Pick<Transcription, "sliced">;
  readonly steady: Pick<SteadyClock, "now">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called at the end of a write, under the directory state and the time to which it leads. */
  onChanges(changes: TableChanges): void;
  log(line: string): void;
}

/** The only writer of the tables. Writes follow each other; a large one is done in slices. */
export interface TableWriter {
  /** The directory state and the time of the present tables. */
  readonly asOf: AsOf;
  /** True while a write is under way. */
  readonly busy: boolean;
  /** True while the tables are inconsistent. */
  readonly applying: boolean;
  /** The progress of a write that takes more than one slice. */
  readonly progress: Progress | undefined;
  /**
   * Writes a change after the writes before it, then calls `written`. A change that fits into a slice is done before
   * this returns. After the signal nothing is written.
   */
  write(change: TableChange, state: DirectoryState, written?: (changes: TableChanges) => void): Promise<void>;
  /** Brings the tables to the present time. During a write it does nothing: the tick after its end does that. */
  tick(): Promise<void>;
}

export function tableWriter({ tables, steady, clock, signal, onChanges, log }: TableWriterOptions): TableWriter {
  let asOf: AsOf = { state: [], clock: steady.now() };
  let free: PromiseWithResolvers<void> | undefined;
  let applying = false;
  let progress: Progress | undefined;
  const sliced = tables.sliced(() => {
    applying = true;
  });

  function end(): void {
    applying = false;
    progress = undefined;
    free?.resolve();
    free = undefined;
  }

  async function write(change: TableChange, state: DirectoryState, written?: (changes: TableChanges) => void) {
    while (free && !signal.aborted) await free.promise;
    if (signal.aborted) return;
    free = Promise.withResolvers();
    const between = (at: Progress): void => {
      progress = at;
    };
    const now = steady.now();
    const done = (changes: TableChanges): void => {
      asOf = { state, clock: now };
      end();
      onChanges(changes);
      written?.(changes);
    };
    try {
      await inSlices(change(sliced, now), { clock, signal, between, done, log });
      // Interrupted by the signal: the waiting writes end. `busy` stays true, because the tables are inconsistent.
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
    get applying() {
      return applying;
    },
    get progress() {
      return progress;
    },
    write,
    async tick() {
      if (!free) await write((tables, now) => tables.tick(now), asOf.state);
    },
  };
}
