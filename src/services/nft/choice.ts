import type { KeptRow } from "../../core/service/service.ts";
import { CommandFailed, reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { gathered } from "./moves.ts";
import { type ElementSet, type Elements, elementsOf } from "./sets.ts";
import { shownElements } from "./text.ts";

/** Which rows go in, where the kernel refuses some: one bad row keeps no other out. */

/** Chooses by asking the kernel; `questionable` are the elements that it is asked about at all. */
export type Choose = (
  questionable: (element: readonly [set: string, key: string, value: string]) => boolean,
  accepts: (wanted: Elements) => Promise<unknown>,
) => Promise<{ wanted: Elements; refused: readonly KeptRow[] }>;

/** All rows if they are accepted together; otherwise without those that are not, which keep what they had before. */
export function choosing(
  sets: readonly ElementSet[],
  entries: readonly (readonly [key: string, row: Columns])[],
  beforeOf: (key: string) => Columns | undefined,
): Choose {
  return async (questionable, accepts) => {
    const all = gathered(
      sets,
      entries.map(([, row]) => row),
    );
    try {
      await accepts(all);
      return { wanted: all, refused: [] };
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
    }
    const asked = entries.filter(([, row]) =>
      elementsOf(sets, row).some(([set, key, value]) => questionable([set.name, key, value])),
    );
    const inQuestion = new Set(asked.map(([key]) => key));
    const certain = entries.filter(([key]) => !inQuestion.has(key)).map(([, row]) => row);
    const without = (accepted: readonly (readonly [key: string, row: Columns])[]): Elements => {
      const taken = new Set(accepted.map(([key]) => key));
      const kept = asked.filter(([key]) => !taken.has(key)).map(([key]) => beforeOf(key));
      // What is kept comes first: where somebody else has the element now, it is his.
      return gathered(sets, [
        ...kept.filter((row) => row !== undefined),
        ...certain,
        ...accepted.map(([, row]) => row),
      ]);
    };
    const { good, refused } = await sift(
      asked,
      (accepted) => accepts(without(accepted)),
      (row) => shownElements(elementsOf(sets, row)),
    );
    return { wanted: without(good), refused };
  };
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
  // One that was asked too early, while another still had its place, gets a second chance.
  if (good.length > 0 && refused.length <= singleRefusals) {
    const early = new Set(refused.splice(0).map(({ key }) => key));
    for (const [key, row] of rows) if (early.has(key)) await take([[key, row]]);
  }
  return { good, refused };
}

/** What nft says first, without the program and the place in a text that nobody wrote. */
const firstLine = (said: string): string =>
  (said.split("\n")[0] ?? said)
    .replace(/^.*? exited \d+: /, "")
    .replace(/^\S*:[-0-9:]+ (?=Error)/, "")
    .replace(/^Error: /, "");
