import { type Lot, lot } from "../../examples/campus/demo/lot.ts";

/** A sequence of its own for each use, all from one seed: what one of them draws moves no other. */
export const lots = (seed: number, use: string): Lot =>
  lot([...use].reduce((mixed, sign) => Math.imul(mixed ^ (sign.codePointAt(0) ?? 0), 0x01000193), seed ^ 0x811c9dc5));

/** One of some, by weight. */
export function weighted<Item>(items: readonly (readonly [weight: number, item: Item])[], { below }: Lot): Item {
  let left = below(Math.round(10 * items.reduce((sum, [weight]) => sum + weight, 0)));
  for (const [weight, item] of items) {
    left -= Math.round(10 * weight);
    if (left < 0) return item;
  }
  throw new Error("there is nothing to draw from");
}
