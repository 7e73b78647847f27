import type { Lot } from "../../examples/campus/demo/lot.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import type { Kind } from "./kind.ts";
import { weighted } from "./lots.ts";

/** The plan of changes and faults that follows from the seed. */

export interface Fault {
  readonly kind: FaultKind;
  readonly target: string;
  /** The start, in milliseconds from the beginning of the round. */
  readonly at: number;
  readonly lasts: number;
}

export interface Round {
  /** The length of the storm, in milliseconds. */
  readonly length: number;
  /** The number of changes during the storm. */
  readonly changes: number;
  /** The number of slower changes, the last ones of all. They are made while long faults go on. */
  readonly slower: number;
  /**
   * The index of the change before which the directory is backed up. `restoreAt` is that of its restoration, which may
   * come after the last change.
   */
  readonly backupAt: number;
  readonly restoreAt: number | undefined;
  readonly faults: readonly Fault[];
}

/** The kind of the rounds of a run. */
export interface Storm {
  /** The length of a storm, in milliseconds. */
  readonly length: number;
  /**
   * True if a round may end with a restored directory. Its transcriber then waits a minute before it accepts the older
   * state.
   */
  readonly restoredLast: boolean;
}

/** The time between two of the slower changes, in milliseconds. */
export const slowPace = 1_500;

/** Draws the next round. */
export function planRound(lot: Lot, { length, restoredLast }: Storm): Round {
  const quick = Math.round(length / 250);
  const count = 3 + Math.round((length / 1000) * 0.5) + lot.below(3);
  const drawn = Object.entries<Kind>(faultKinds).map(([name, { weight }]) => [weight, name as FaultKind] as const);
  const faults = Array.from({ length: count }, (): Fault => {
    const kind = weighted(drawn, lot);
    const { targets, longest } = faultKinds[kind];
    return { kind, target: lot.one(targets), at: lot.below(length * 0.8), lasts: lot.below(longest + 1) };
  });
  const goOn = faults.map(({ kind }) => (faultKinds[kind] as Kind).goesOn ?? 0).reduce((sum, one) => sum + one, 0);
  const slower = Math.round(goOn / slowPace);
  const changes = quick + slower;
  const backupAt = lot.below(changes / 2);
  const restoreAt = lot.one([
    undefined,
    undefined,
    restoredLast ? changes : undefined,
    backupAt + 1 + lot.below(changes - backupAt - 1),
  ]);
  return { length, changes, slower, backupAt, restoreAt, faults: faults.sort((a, b) => a.at - b.at) };
}
