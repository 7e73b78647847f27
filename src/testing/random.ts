/** Repeatable random numbers: an equal seed gives equal numbers. */
export interface Random {
  /** A number in [0, 1). */
  unit(): number;
  /** An integer in [0, n). */
  below(n: number): number;
  chance(probability: number): boolean;
}

/** Mulberry32, a generator with 32 bits of state. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    unit,
    below: (n) => Math.floor(unit() * n),
    chance: (probability) => unit() < probability,
  };
}
