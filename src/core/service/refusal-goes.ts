import { type Cell, isRefused, refusalOf } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if a row in force goes when it is refused for this reason. A table may name columns and attributes (`refused: ["password"]`):
 * then it goes if the reason begins by saying that one of them is missing or wrong. A claim of another entry is never such a reason
 * where the column is not unique, and an attribute that is not read says nothing of the entry.
 */
export function refusalGoes({ refused }: Pick<Table, "refused">, why: string): boolean {
  if (refused === undefined) return false;
  if (refused === "remove") return true;
  const named = about.exec(why)?.[1]?.toLowerCase();
  return named !== undefined && refused.some((name) => name.toLowerCase() === named);
}

/** True if what is said of a key takes its row out of force: it has none any more, or one that is refused and goes. */
export const cellGoes = (table: Pick<Table, "refused"> | undefined, cell: Cell | null): boolean =>
  cell === null || (table !== undefined && isRefused(cell) && refusalGoes(table, refusalOf(cell)));

/** The column or attribute that a reason is about: `password: is not …` of a column, `userPassword is missing` of an attribute. */
const about = /^([A-Za-z0-9_;.-]+)(?::| is missing$| is not text$| has \d+ values, expected one$)/;
