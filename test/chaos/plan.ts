import type { Lot } from "../../examples/campus/demo/lot.ts";
import { type FaultKind, faultKinds } from "./faults.ts";
import type { Kind } from "./kind.ts";
import { weighted } from "./lots.ts";

/** What is to happen, as it follows from the seed. */

export interface Fault {
  readonly kind: FaultKind;
  readonly target: string;
  /** Milliseconds from the beginning of the round. */
  readonly at: number;
  readonly lasts: number;
}

export interface Round {
  /** How long it storms, milliseconds. */
  readonly length: number;
  /** How many changes are made meanwhile. */
  readonly changes: number;
  /** How many of them, the last ones, are slower: while faults go on that take their time. */
  readonly slower: number;
  /** Before which of them the directory's backup is made, and before which it is restored: at times after the last one. */
  readonly backupAt: number;
  readonly restoreAt: number | undefined;
  readonly faults: readonly Fault[];
}

/** How the rounds of a run are. */
export interface Storm {
  /** Milliseconds. */
  readonly length: number;
  /** Whether a restored directory may be the last word: then its transcriber waits a minute before it believes that. */
  readonly restoredLast: boolean;
}

/** Between two of the slower changes, milliseconds. */
export const slowPace = 1_500;

/** The next round. */
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
