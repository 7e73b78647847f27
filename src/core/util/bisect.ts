/** How long the guilty are looked for. */
export interface Budget {
  /** So many checks at most. */
  readonly checks: number;
  /** Whether the time is over. */
  over(): boolean;
}

/** Those that pass together and those that do not, each with what the check said; or why it is not known. */
export type Sifted<T> =
  | { readonly good: readonly T[]; readonly guilty: readonly { readonly one: T; readonly why: string }[] }
  | { readonly undecided: string };

/**
 * Finds, by halves and with a check alone, which of many are refused. `check` gives undefined when it passes some of them together, else what it says.
 * Nobody is blamed when it refuses none at all too, before or after: then the fault is not theirs.
 */
export async function sift<T>(
  all: readonly T[],
  check: (some: readonly T[]) => Promise<string | undefined>,
  { checks, over }: Budget,
): Promise<Sifted<T>> {
  const good: T[] = [];
  const guilty: { one: T; why: string }[] = [];
  let left = checks;

  async function wrongWith(some: readonly T[]): Promise<string | undefined> {
    if (left === 0 || over()) throw new Spent();
    left -= 1;
    return check([...good, ...some]);
  }

  /** Takes those that pass beside the good ones, and says whether all do; `known` is what the check says of all of them, where it was asked. */
  async function take(some: readonly T[], known?: string): Promise<boolean> {
    const why = known ?? (await wrongWith(some));
    if (why === undefined) {
      good.push(...some);
      return true;
    }
    const [one, ...others] = some;
    if (one !== undefined && others.length === 0) {
      guilty.push({ one, why });
      return false;
    }
    const middle = some.length >> 1;
    const isWell = await take(some.slice(0, middle));
    // When the first half is well, the second beside it is what was refused.
    await take(some.slice(middle), isWell ? why : undefined);
    return false;
  }

  try {
    const ground = await wrongWith([]);
    if (ground !== undefined) return { undecided: `it refuses also what is in force now: ${ground}` };
    if (await take(all)) return { good, guilty };
    // One that was asked too early, while another still had its place, gets a second chance.
    for (const { one } of guilty.splice(0)) await take([one]);
    const after = await wrongWith([]);
    return after === undefined ? { good, guilty } : { undecided: `it refuses also what it took before: ${after}` };
  } catch (error) {
    if (!(error instanceof Spent)) throw error;
    const found = left === 0 ? `${checks} checks` : "the time";
    return { undecided: `not all of the guilty were found within ${found} that may be spent on it` };
  }
}

class Spent extends Error {}
