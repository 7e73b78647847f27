import { aboutOf, type Cell, contestedRow, isRefused, isUndecided, rowHash } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if a refusal removes the applied row. A table may name columns and attributes (`refused: ["password"]`). The row
 * is then removed if the refusal is about one of them, in any case of letters. An attribute that was not requested is
 * none of them. A `select` that did not end in time never removes a row.
 *
 * Another entry's claim removes no row: an applied row stays while it is what its entry says. Otherwise the entry says
 * by now what cannot be applied, such as another password, and the applied row grants what it should no longer grant.
 */
export function refusalRemoves({ refused }: Pick<Table, "refused">, cell: Cell, applied: Cell | null): boolean {
  if (refused === undefined || isUndecided(cell)) return false;
  const contested = contestedRow(cell);
  if (contested !== undefined) return applied === null || rowHash(applied) !== contested;
  if (refused === "remove") return true;
  const named = new Set(refused.map((name) => name.toLowerCase()));
  return aboutOf(cell).some((name) => named.has(name.toLowerCase()));
}

/** True if this change of a key removes its applied row: the row is removed, or refused in a way that removes it. */
export const cellRemoves = (
  table: Pick<Table, "refused"> | undefined,
  cell: Cell | null,
  applied: Cell | null,
): boolean => cell === null || (table !== undefined && isRefused(cell) && refusalRemoves(table, cell, applied));
