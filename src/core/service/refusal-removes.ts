import { aboutOf, type Cell, isRefused } from "../stream/cells.ts";
import type { Table } from "./service.ts";

/**
 * True if a refusal removes the applied row. A table may name columns and attributes (`refused: ["password"]`). The row
 * is then removed if the refusal is about one of them, in any case of letters. A duplicate claim is about none of them,
 * and neither is an attribute that was not requested.
 */
export function refusalRemoves({ refused }: Pick<Table, "refused">, about: readonly string[]): boolean {
  if (refused === undefined) return false;
  if (refused === "remove") return true;
  const named = new Set(refused.map((name) => name.toLowerCase()));
  return about.some((name) => named.has(name.toLowerCase()));
}

/** True if this change of a key removes its applied row: the row is removed, or refused in a way that removes it. */
export const cellRemoves = (table: Pick<Table, "refused"> | undefined, cell: Cell | null): boolean =>
  cell === null || (table !== undefined && isRefused(cell) && refusalRemoves(table, aboutOf(cell)));
