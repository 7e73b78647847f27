import { seeded } from "../../../src/testing/random.ts";
import type { Break } from "./breaks.ts";

/** The optional parts of a schedule, beside the tables and faults that all schedules have. */
export interface Parts {
  /** True if hosts have a plain service, whose messages are published. */
  readonly plain: boolean;
  /** True if row messages are signed, and some are sent without a key. */
  readonly signed: boolean;
  /** True if one host applies the names after the other. */
  readonly waves: boolean;
  /** True if a refused row is removed, in both tables. */
  readonly removes: boolean;
}

/**
 * The parts of a seed's schedule: each is in a third of them. Dice of their own leave the other schedules as they are.
 */
export function partsOf(seed: number, without: Break | undefined): Parts {
  const { chance } = seeded(seed ^ 0x9a875);
  const third = 1 / 3;
  // A process that counts its epochs from 1 again cannot sign the messages of others.
  return {
    plain: chance(third),
    signed: chance(third) && without !== "unique-epoch",
    waves: chance(third),
    removes: chance(third),
  };
}
