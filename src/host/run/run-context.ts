import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import type { ServiceStore } from "../store/service-store.ts";

/** The time after which a run is interrupted, in milliseconds. */
export const runDeadline = { milliseconds: 10 * 60_000, what: "the run" };

/** The surroundings of the runs of one service on a host. */
export interface RunContext {
  readonly host: string;
  readonly store: ServiceStore;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The most rows that may be removed within an hour, by the number applied; no limit without it. */
  readonly removals?: {
    limit(rows: number): number;
    /** True if the last row may be removed without a question. */
    readonly mayEmpty: boolean;
    /**
     * The clock that counts the hour, in milliseconds since 1970. It does not follow jumps of the wall clock while the
     * process lives.
     */
    now(): number;
  };
  log(line: string): void;
}
