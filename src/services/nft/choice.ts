import type { WaitingRow } from "../../core/service/service.ts";
import { bisect } from "../../core/util/bisect.ts";
import { CommandFailed, reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { gathered } from "./moves.ts";
import { type ElementSet, type Elements, elementsOf } from "./sets.ts";
import { shownElements } from "./text.ts";

/** The choice of rows if the kernel refuses some: a bad row does not prevent any other. */

/** Chooses elements by checks of the kernel. It checks only rows with a `questionable` element. */
export type Choose = (
  questionable: (element: readonly [set: string, key: string, value: string]) => boolean,
  accepts: (wanted: Elements) => Promise<unknown>,
) => Promise<{ wanted: Elements; refused: readonly WaitingRow[] }>;

/**
 * Makes the function that chooses all rows if the kernel accepts them together. Otherwise each refused row keeps its
 * earlier elements.
 */
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
      // Retained rows come first: if another row has the element now, it stays with that one.
      return gathered(sets, [
        ...kept.filter((row) => row !== undefined),
        ...certain,
        ...accepted.map(([, row]) => row),
      ]);
    };
    const { good, refused } = await acceptedRows(
      asked,
      (accepted) => accepts(without(accepted)),
      (row) => shownElements(elementsOf(sets, row)),
    );
    return { wanted: without(good), refused };
  };
}

/** The most refusals to tell apart. A table with more is wrong as a whole: further halves are refused without a check of their rows. */
const singleRefusals = 50;

/**
 * The rows that the kernel accepts together, found by bisection with its check. `accepts` throws the kernel's
 * message if it refuses them. Throws that message if the kernel refuses an empty list, too: then no row is to blame.
 */
export async function acceptedRows<Row>(
  rows: readonly (readonly [key: string, row: Row])[],
  accepts: (rows: readonly (readonly [key: string, row: Row])[]) => Promise<unknown>,
  shown: (row: Row) => string,
): Promise<{ good: readonly (readonly [key: string, row: Row])[]; refused: WaitingRow[] }> {
  const check = async (some: typeof rows): Promise<CommandFailed | undefined> => {
    try {
      await accepts(some);
      return undefined;
    } catch (error) {
      if (error instanceof CommandFailed) return error;
      throw error;
    }
  };
  const found = await bisect(rows, check, { refusals: singleRefusals });
  if ("baseline" in found) throw found.baseline;
  const refused = found.refused.flatMap(({ items, why }) => {
    const more = items.length > 1 ? `; one of ${items.length} rows that nft refuses together` : "";
    return items.map(([key, row]) => ({ key, why: `${shown(row)}: ${firstLine(reason(why))}${more}` }));
  });
  return { good: found.good, refused };
}

/** The first message of nft, without the program and the place in a generated text. */
const firstLine = (said: string): string =>
  (said.split("\n")[0] ?? said)
    .replace(/^.*? exited \d+: /, "")
    .replace(/^\S*:[-0-9:]+ (?=Error)/, "")
    .replace(/^Error: /, "");
