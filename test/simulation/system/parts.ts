import { seeded } from "../../../src/testing/random.ts";
import type { Break } from "./breaks.ts";

/** What a schedule has beside the tables and the faults of all of them. */
export interface Parts {
  /** Hosts have a plain service, and somebody publishes its messages. */
  readonly plain: boolean;
  /** What is said of rows is signed, and somebody without a key says some, too. */
  readonly signed: boolean;
  /** One host puts the names in force after the other. */
  readonly waves: boolean;
  /** Of both tables, a row that is refused goes. */
  readonly removes: boolean;
}

/** The parts of a seed's schedule: each is in a third of them. It has dice of its own, so that the other schedules stay as they are. */
export function partsOf(seed: number, without: Break | undefined): Parts {
  const { chance } = seeded(seed ^ 0x9a875);
  const third = 1 / 3;
  // Who counts epochs anew cannot sign what others have said.
  return {
    plain: chance(third),
    signed: chance(third) && without !== "unique-epoch",
    waves: chance(third),
    removes: chance(third),
  };
}
