import { canonical } from "../stream/cells.ts";
import type { Columns, Json } from "../util/json.ts";
import { masked } from "./secret.ts";
import type { Table } from "./service.ts";

/** The difference between the rows observed in a daemon and the rows that are applied. */
export interface Difference {
  /** Rows that the daemon does not have. */
  readonly missing: readonly Columns[];
  /** Rows that the daemon has with other columns, each with the values of these columns. */
  readonly differs: readonly { readonly name: string; readonly wanted: Columns; readonly found: Columns }[];
  /** Our records in the daemon that belong to no row. */
  readonly extra: readonly Columns[];
  /** Foreign records in the daemon. */
  readonly foreign: readonly Columns[];
}

/**
 * Compares observed records with rows, matched by the first unique column that a record has. In a shared daemon, `owns`
 * tells which names are ours.
 */
export function compareObserved(
  table: Pick<Table, "unique" | "secret" | "shared">,
  rows: Iterable<Columns>,
  observed: Iterable<Columns>,
  owns: (name: string) => boolean,
): Difference {
  // A table may have rows of several kinds, each with a unique column of its own.
  const columnOf = (row: Columns): string | undefined => table.unique?.find((column) => row[column] != null);
  const nameOf = (row: Columns): string => textOf(row[columnOf(row) ?? ""] ?? row);
  const keyOf = (row: Columns): string => `${columnOf(row)} ${nameOf(row)}`;
  const missing = new Map([...rows].map((row) => [keyOf(row), row]));
  const differs: { name: string; wanted: Columns; found: Columns }[] = [];
  const extra: Columns[] = [];
  const foreign: Columns[] = [];
  const shown = (row: Columns): Columns => masked(row, table.secret) as Columns;
  const shownName = (row: Columns): string => nameOf(shown(row));
  for (const found of observed) {
    const name = nameOf(found);
    const wanted = missing.get(keyOf(found));
    if (!wanted) {
      const list = table.shared && !owns(name) ? foreign : extra;
      list.push(shown(found));
      continue;
    }
    missing.delete(keyOf(found));
    // Only observed columns are compared; null means that the daemon was seen to lack it.
    const columns = Object.keys(found).filter(
      (column) => canonical(found[column] ?? null) !== canonical(wanted[column] ?? null),
    );
    if (columns.length === 0) continue;
    const only = (row: Columns): Columns => shown(Object.fromEntries(columns.map((column) => [column, row[column]])));
    differs.push({ name: shownName(found), wanted: only(wanted), found: only(found) });
  }
  return { missing: [...missing.values()].map(shown), differs, extra, foreign };
}

/** True if none of our rows differs; foreign records do not count. */
export const isSame = ({ missing, differs, extra }: Difference): boolean =>
  missing.length + differs.length + extra.length === 0;

const textOf = (value: Json): string => (typeof value === "string" ? value : canonical(value));
