/** Chance that can be repeated: one seed, one sequence. */
export interface Lot {
  /** A whole number from 0 up to, and not, a limit. */
  below(limit: number): number;
  one<Item>(items: readonly Item[]): Item;
}

/** Mulberry32: 32 bits of state are plenty for names. */
export function lot(seed: number): Lot {
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { below, one: (items) => items[below(items.length)] as (typeof items)[number] };
}
