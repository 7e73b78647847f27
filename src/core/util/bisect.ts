/** The limits of a bisection, and the answers known before it. */
export interface BisectOptions<T, Why> {
  /** The most calls of `check` to find the refused items; unlimited by default. */
  readonly checks?: number;
  /**
   * The number of refusals to tell apart; after that many, items that are refused together stay together. Unlimited by
   * default.
   */
  readonly refusals?: number;
  /** True if no item depends on another: a refused item is then not tried again beside the accepted ones. */
  readonly independent?: boolean;
  /** The answer of `check` to all items together, if it is known already. */
  readonly said?: Why;
  /** True once the time for the search is over. */
  isOver?(): boolean;
  /** The one item that an answer of `check` blames; undefined if it names none, or several. */
  blamed?(items: readonly T[], why: Why): T | undefined;
}

/** The result of a bisection. */
export interface Bisected<T, Why> {
  /** The items that pass the check together. */
  readonly good: readonly T[];
  /** The refused items with the answer of the check: single ones, or several where the limit of refusals was reached. */
  readonly refused: readonly { readonly items: readonly T[]; readonly why: Why }[];
  /** The items that were not decided when the checks or the time were spent. */
  readonly untried: readonly T[];
}

/**
 * The result if the check refuses without any item, or refuses at the end what it accepted before: no item is to blame.
 */
export interface BaselineRefused<Why> {
  readonly baseline: Why;
  readonly at: "start" | "end";
}

/**
 * Finds the items that a check refuses, by halves. `check` returns undefined if it accepts items together, else the
 * reason. A refused item is tried once more at the end: the first time, another item may still have held its place.
 */
export async function bisect<T, Why>(
  items: readonly T[],
  check: (items: readonly T[]) => Promise<Why | undefined>,
  options: BisectOptions<T, Why> = {},
): Promise<Bisected<T, Why> | BaselineRefused<Why>> {
  const { checks = Number.POSITIVE_INFINITY, refusals = Number.POSITIVE_INFINITY, independent = false, said } = options;
  const good: T[] = [];
  let refused: { items: readonly T[]; why: Why }[] = [];
  let made = 0;
  /** The answer to the last check. */
  let last: Why | undefined;

  async function ask(some: readonly T[]): Promise<Why | undefined> {
    if (made === checks || options.isOver?.()) throw new Spent();
    made += 1;
    last = await check([...good, ...some]);
    return last;
  }

  /**
   * Adds the items that pass beside the good ones; returns true if all do. `known` is the answer to all of them, if it
   * was asked.
   */
  async function take(some: readonly T[], known?: Why): Promise<boolean> {
    if (some.length === 0) return true;
    const why = known ?? (await ask(some));
    if (why === undefined) {
      good.push(...some);
      return true;
    }
    if (some.length === 1 || refused.length >= refusals) {
      refused.push({ items: some, why });
      return false;
    }
    const one = options.blamed?.(some, why);
    const middle = some.length >> 1;
    const first = one === undefined ? some.slice(0, middle) : [one];
    const second = one === undefined ? some.slice(middle) : some.filter((item) => item !== one);
    // If the first part is good, the second part beside it is the set that was just refused.
    await take(second, (await take(first)) ? why : undefined);
    return false;
  }

  try {
    const baseline = await ask([]);
    if (baseline !== undefined) return { baseline, at: "start" };
    if (await take(items, said)) return { good, refused, untried: [] };
    if (!independent && refused.length < refusals) {
      const early = refused;
      refused = [];
      for (const { items } of early) await take(items);
    }
  } catch (error) {
    if (!(error instanceof Spent)) throw error;
    const decided = new Set([good, ...refused.map(({ items }) => items)].flat());
    return { good, refused, untried: items.filter((item) => !decided.has(item)) };
  }
  const baseline = last === undefined ? undefined : await check(good);
  return baseline === undefined ? { good, refused, untried: [] } : { baseline, at: "end" };
}

class Spent extends Error {}
