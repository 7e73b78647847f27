import { aboutOf, type Cell, isRefused } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if an applied row is removed when it is refused. A table may name columns and attributes (`refused: ["password"]`). The row is
 * then removed if the refusal is about one of them, in any case of letters. A claim of another entry is about none, and neither is an
 * attribute that is not read.
 */
export function refusalGoes({ refused }: Pick<Table, "refused">, about: readonly string[]): boolean {
  if (refused === undefined) return false;
  if (refused === "remove") return true;
  const named = new Set(refused.map((name) => name.toLowerCase()));
  return about.some((name) => named.has(name.toLowerCase()));
}

/** True if a change of this key removes its applied row: the row is gone, or it is refused and removed for that. */
export const cellGoes = (table: Pick<Table, "refused"> | undefined, cell: Cell | null): boolean =>
  cell === null || (table !== undefined && isRefused(cell) && refusalGoes(table, aboutOf(cell)));
