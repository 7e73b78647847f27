import type { Violation } from "../violation.ts";
import { type Break, breaks } from "./breaks.ts";
import { play } from "./play.ts";

export interface Noticed {
  readonly seed: number;
  readonly violation: Violation;
}

/** The first of some seeds whose schedule breaks a promise without a safeguard. */
export async function noticing(without: Break, seeds: Iterable<number>): Promise<Noticed | undefined> {
  for (const seed of seeds) {
    const { violation } = await play(seed, without);
    if (violation) return { seed, violation };
  }
  return undefined;
}

/** The seeds within which a safeguard is to be missed; the one that missed it last time comes first where it is likely to do so again. */
export function seedsOf(without: Break, { likely }: { readonly likely: boolean }): number[] {
  const { seed, within } = breaks[without];
  const all = [...Array(within).keys()];
  return likely ? [seed, ...all.filter((one) => one !== seed)] : all;
}

/** The table of docs/design/simulation.md, row by row. */
export async function* table(): AsyncGenerator<string> {
  yield "| `--break` | what is taken away | breaks | first seed | within |";
  yield "|---|---|---|---|---|";
  for (const name of Object.keys(breaks) as Break[]) {
    const { without, within } = breaks[name];
    const found = await noticing(name, seedsOf(name, { likely: false }));
    yield `| ${name} | ${without} | ${found?.violation.promise ?? "nothing"} | ${found?.seed ?? "none"} | ${within} |`;
  }
}
