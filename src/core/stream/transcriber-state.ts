import type { Progress } from "../util/slices.ts";
import type { TranscriberReport } from "./report.ts";
import type { UnfinishedEntry } from "./unfinished-line.ts";

/** The state of a transcriber, as it reports it. */
export interface TranscriberState {
  readonly active: boolean;
  readonly epoch: number | undefined;
  /** True once the mirror is complete: nothing is sent before. */
  readonly complete: boolean;
  /** The progress of a long change: the first reading, or many entries at once. */
  readonly progress?: Progress;
  /**
   * The newest `verify` for which the directory was read again: its time, and how many entries differed from the
   * mirror.
   */
  readonly verified?: { readonly asked: number; readonly differed: number };
  /**
   * The hosts with a stream epoch of their own, each with that epoch. Either that epoch is ahead of this transcriber's
   * clock, or the directory was rolled back for the host.
   */
  readonly ownEpochs?: Readonly<Record<string, number>>;
  /** The reason why the directory cannot be read now. */
  readonly trouble: string | undefined;
  /** The beginning of that trouble, in milliseconds since 1970. */
  readonly troubleSince: number | undefined;
  readonly entries: number;
  /** A sentence for each of the first names that several entries may have, by a rule that is unknown. */
  readonly namesakes?: readonly string[];
  /**
   * For a directory made of events: the messages that were set aside as unreadable, and the reason why events cannot be
   * stored now.
   */
  readonly events?: { readonly setAside: AsideCount; readonly trouble: string | undefined };
  readonly services: Readonly<Record<string, TableState>>;
}

/** The state of the table of one service. */
export interface TableState {
  readonly rows: number;
  readonly refused: number;
  /** The hash of the service's file. */
  readonly code: string;
  /** True while hosts wait for the broker's return. */
  readonly behind: boolean;
  /** The hosts whose queue refuses messages. */
  readonly refusing?: readonly string[];
  /** The entries whose `select` did not end in time: their number, and the first ones. */
  readonly unfinished?: { readonly count: number; readonly first: readonly UnfinishedEntry[] };
}

/** The part of a transcriber's state that its host reports to the others. */
export const reportOf = ({ active, epoch, complete, trouble, verified }: TranscriberState): TranscriberReport => ({
  ...{ active, epoch, complete, trouble, verified },
});

interface AsideCount {
  readonly count: number;
  readonly newest?: { readonly why: string; readonly at: number };
}
