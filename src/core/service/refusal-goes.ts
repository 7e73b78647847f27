import { aboutOf, type Cell, isRefused } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if a row in force goes when it is refused. A table may name columns and attributes (`refused: ["password"]`): then it goes if
 * the refusal is about one of them, in any case of letters. A claim of another entry is about none, and neither is an attribute that
 * is not read.
 */
export function refusalGoes({ refused }: Pick<Table, "refused">, about: readonly string[]): boolean {
  if (refused === undefined) return false;
  if (refused === "remove") return true;
  const named = new Set(refused.map((name) => name.toLowerCase()));
  return about.some((name) => named.has(name.toLowerCase()));
}

/** True if what is said of a key takes its row out of force: it has none any more, or one that is refused and goes. */
export const cellGoes = (table: Pick<Table, "refused"> | undefined, cell: Cell | null): boolean =>
  cell === null || (table !== undefined && isRefused(cell) && refusalGoes(table, aboutOf(cell)));
