import type { Network } from "./network.ts";

/** A kind of fault. The fault is undone after its time, and also when the run is aborted. */
export interface Kind {
  /** The weight of the kind in a draw. */
  readonly weight: number;
  /** The names of the possible targets. */
  readonly targets: readonly string[];
  /** The lock of a target. Two faults with the same lock do not overlap: the second one waits. */
  readonly lock: (target: string) => string;
  /** The longest duration, in milliseconds. */
  readonly longest: number;
  /** The time that the effect lasts after the fault, in milliseconds, if it is long. Changes go on for that time. */
  readonly goesOn?: number;
  /** Runs the fault; false if this machine cannot run it. */
  readonly act: (network: Network, target: string, wait: () => Promise<void>) => Promise<boolean>;
}

/** Applies a fault, waits, and undoes it in any case. */
export async function meanwhile(wait: () => Promise<void>, act: () => unknown, undo: () => unknown): Promise<boolean> {
  await act();
  try {
    await wait();
  } finally {
    await undo();
  }
  return true;
}
