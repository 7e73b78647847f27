import { CommandFailed, reason } from "../core/outcome.ts";
import type { Change, Columns, KeptRow } from "../core/service.ts";
import { type Element, type ElementSet, type Elements, elementsOf } from "./nft-sets.ts";
import type { Moves } from "./nft-text.ts";

/** From rows and what is there to what moves, and which single rows cannot. */

const nameOf = ([set, key]: Element): string => `${set.name} ${key}`;

/** What changes of rows move: an element that one row gives up and another takes stays. */
export function movesOf(sets: readonly ElementSet[], changes: readonly Change<Columns>[]): Moves {
  const before = new Map<string, Element>();
  const after = new Map<string, Element>();
  for (const change of changes) {
    for (const element of change.before ? elementsOf(sets, change.before) : []) before.set(nameOf(element), element);
    for (const element of change.after ? elementsOf(sets, change.after) : []) after.set(nameOf(element), element);
  }
  return {
    remove: [...before].filter(([name, [, , value]]) => after.get(name)?.[2] !== value).map(([, element]) => element),
    add: [...after].filter(([name, [, , value]]) => before.get(name)?.[2] !== value).map(([, element]) => element),
  };
}

/** What makes the one of the other. */
export function movesBetween(sets: readonly ElementSet[], there: Elements, wanted: Elements): Moves {
  const lacking = (set: ElementSet, from: Elements, other: Elements): Element[] =>
    [...(from.get(set.name) ?? [])]
      .filter(([key, value]) => other.get(set.name)?.get(key) !== value)
      .map(([key, value]) => [set, key, value]);
  return {
    remove: sets.flatMap((set) => lacking(set, there, wanted)),
    add: sets.flatMap((set) => lacking(set, wanted, there)),
  };
}

export const isNothing = ({ remove, add }: Moves): boolean => remove.length === 0 && add.length === 0;

/** The elements of rows, by set. */
export function gathered(sets: readonly ElementSet[], rows: Iterable<Columns>): Map<string, Map<string, string>> {
  const elements = new Map(sets.map(({ name }) => [name, new Map<string, string>()]));
  for (const row of rows) {
    for (const [set, key, value] of elementsOf(sets, row)) elements.get(set.name)?.set(key, value);
  }
  return elements;
}

/** So many refused rows are told apart; beyond them a table is so wrong that halves are refused as they are, else the checks would have no end. */
const singleRefusals = 50;

/**
 * The rows without those that the kernel refuses, found by halves with its check alone. `accepts` throws when it would refuse the rows.
 * Throws what was said when it refuses also no row at all: then the fault is not theirs.
 */
export async function sift<Row>(
  rows: readonly (readonly [key: string, row: Row])[],
  accepts: (rows: readonly (readonly [key: string, row: Row])[]) => Promise<unknown>,
  shown: (row: Row) => string,
): Promise<{ good: readonly (readonly [key: string, row: Row])[]; refused: KeptRow[] }> {
  const refused: KeptRow[] = [];
  let good: (readonly [key: string, row: Row])[] = [];
  const wrong = async (some: typeof rows): Promise<unknown> => {
    try {
      await accepts([...good, ...some]);
      return undefined;
    } catch (error) {
      if (error instanceof CommandFailed) return error;
      throw error;
    }
  };
  const take = async (some: typeof rows): Promise<void> => {
    const why = await wrong(some);
    if (why === undefined) {
      good = [...good, ...some];
      return;
    }
    if (some.length === 1 || refused.length >= singleRefusals) {
      const more = some.length > 1 ? `; one of ${some.length} rows that nft refuses together` : "";
      for (const [key, row] of some) refused.push({ key, why: `${shown(row)}: ${firstLine(reason(why))}${more}` });
      return;
    }
    const middle = some.length >> 1;
    await take(some.slice(0, middle));
    await take(some.slice(middle));
  };
  const ground = await wrong([]);
  if (ground !== undefined) throw ground;
  await take(rows);
  return { good, refused };
}

/** What nft says first, without the program and the place in a text that nobody wrote. */
const firstLine = (said: string): string =>
  (said.split("\n")[0] ?? said)
    .replace(/^.*? exited \d+: /, "")
    .replace(/^\S*:[-0-9:]+ (?=Error)/, "")
    .replace(/^Error: /, "");
