import type { Cell } from "../../../src/core/stream/cells.ts";
import type { DirectoryState } from "../../../src/core/stream/messages.ts";
import type { Random } from "../../../src/testing/random.ts";

/** The directory of the model: all states that it ever had, so that any claim about them can be judged. */

export const service = "dhcp";
export const keys = ["a", "b", "c", "d", "e", "f"] as const;
/** The key of the timed row: it exists in every second phase of the clock, without a change of the directory. */
export const timedKey = 0;

/** The version of a table: a state of the directory, by its place in history, and a phase of the clock. */
export interface Version {
  readonly state: number;
  readonly phase: number;
}

interface State {
  /** The previous state of the directory. */
  readonly parent: number;
  /** The value of each key; 0 for no row. */
  readonly values: readonly number[];
  /** For each key, the moment since which it has had this value. */
  readonly since: readonly number[];
}

export interface Truth {
  readonly head: Version;
  /** Gives one to three keys another value, an earlier value, none, or each other's. */
  change(random: Random): void;
  /** Moves the clock by one phase, and with it the timed row. */
  tick(): void;
  /** Restores the directory from an earlier backup; its history goes on from there. */
  restore(random: Random): void;
  /** The next state on the way to the head. The head itself, if that way does not pass through this state. */
  after(state: number): number;
  cell(key: number, version: Version): Cell | null;
  /** The moment since which the directory has had this value for a key. It never decreases from state to state. */
  since(key: number, version: Version): number;
}

export function truth(): Truth {
  const states: State[] = [{ parent: -1, values: [1, 1, 1, 0, 0, 0], since: [0, 0, 0, 0, 0, 0] }];
  let state = 0;
  let phase = 0;
  let moment = 0;
  const at = (index: number): State => states[index]!;

  return {
    get head() {
      return { state, phase };
    },
    change(random) {
      moment += 1;
      const from = at(state);
      const values = [...from.values];
      const key = random.below(keys.length);
      const kind = random.below(8);
      if (kind === 0) {
        const other = random.below(keys.length);
        [values[key], values[other]] = [values[other]!, values[key]!];
      } else if (kind === 1) {
        values[key] = at(random.below(states.length)).values[key]!;
      } else {
        for (let count = 1 + random.below(3), next = key; count > 0; count--, next = (next + 1) % keys.length) {
          values[next] = random.chance(0.3) ? 0 : moment;
        }
      }
      // A restored directory has lost the newest states: any difference from them is new, not old.
      const newest = at(states.length - 1);
      const since = newest.since.map((before, index) => (values[index] === newest.values[index] ? before : moment));
      states.push({ parent: state, values, since });
      state = states.length - 1;
    },
    tick() {
      phase += 1;
    },
    restore(random) {
      state = random.below(state + 1);
    },
    after(from) {
      let child = state;
      for (let index = state; index >= 0; index = at(index).parent) {
        if (index === from) return child;
        child = index;
      }
      return state;
    },
    cell(key, { state, phase }) {
      const value = at(state).values[key]!;
      return value === 0 || (key === timedKey && phase % 2 === 1) ? null : cellOf(value);
    },
    since: (key, { state }) => at(state).since[key]!,
  };
}

const cellOf = memoised((value: number): Cell => `{"v":${value}}`);

/** The text of a state in messages; `stateOf` is its inverse. */
export const stateText = memoised(
  (state: number): DirectoryState => [`${String(state).padStart(6, "0")}#000000#001#000000`],
);
export const stateOf = (text: DirectoryState): number => Number.parseInt(text[0] ?? "", 10);

/** The number of buckets of a digest: small, because hundreds of thousands of schedules make digests of a few rows. */
export const buckets = 2;

function memoised<In, Out>(make: (of: In) => Out): (of: In) => Out {
  const made = new Map<In, Out>();
  return (of) => {
    let found = made.get(of);
    if (found === undefined) {
      found = make(of);
      made.set(of, found);
    }
    return found;
  };
}
