import type { Columns } from "./service.ts";

/** A row as it may be shown: the values of its secret columns are masked. */
export function masked(row: Columns, secret: readonly string[] = []): Columns {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, secret.includes(column) ? "********" : value]),
  );
}
