import { seeded } from "../stream/random.ts";

/** What a schedule has beside the tables and the faults of all of them. */
export interface Parts {
  /** Hosts have a plain service, and somebody publishes its messages. */
  readonly plain: boolean;
}

/** The parts of a seed's schedule: each is in a third of them. It has dice of its own, so that the other schedules stay as they are. */
export function partsOf(seed: number): Parts {
  const { chance } = seeded(seed ^ 0x9a875);
  const third = 1 / 3;
  return { plain: chance(third) };
}
