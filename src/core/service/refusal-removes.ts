import { aboutOf, type Cell, contestedRow, isRefused, isUndecided, rowHash } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if a refusal removes the applied row. A table may name columns and attributes (`refused: ["password"]`). The row
 * is then removed if the refusal is about one of them, in any case of letters. An attribute that was not requested is
 * none of them. A `select` that did not end in time never removes a row.
 *
 * Another entry's claim removes no row that is what its own entry says. If the entry says something else by now, such as
 * another password, the applied row grants what it should no longer grant. With `"remove"`, or with `"claims"` among the
 * names, it is removed then.
 */
export function refusalRemoves({ refused }: Pick<Table, "refused">, cell: Cell, applied: Cell | null): boolean {
  if (refused === undefined || isUndecided(cell)) return false;
  const named = new Set(refused === "remove" ? [] : refused.map((name) => name.toLowerCase()));
  const contested = contestedRow(cell);
  if (contested !== undefined) {
    if (refused !== "remove" && !named.has("claims")) return false;
    return applied === null || rowHash(applied) !== contested;
  }
  if (refused === "remove") return true;
  return aboutOf(cell).some((name) => named.has(name.toLowerCase()));
}

/** True if this change of a key removes its applied row: the row is removed, or refused in a way that removes it. */
export const cellRemoves = (
  table: Pick<Table, "refused"> | undefined,
  cell: Cell | null,
  applied: Cell | null,
): boolean => cell === null || (table !== undefined && isRefused(cell) && refusalRemoves(table, cell, applied));
