import type { Table } from "../../core/service/service.ts";
import { type Cell, canonical, entryKey, partKey, rowHash } from "../../core/stream/cells.ts";
import type { Columns, Json } from "../../core/util/json.ts";

/**
 * The key of one of several rows of an entry: by its first unique column, or by a hash of the row if the table has
 * none.
 */
export function keyOfRow(
  { unique: [column] = [], secret = [] }: Table,
  uuid: string,
  read: { readonly row: Columns; readonly cell: Cell },
): string {
  const value = column === undefined ? undefined : read.row[column];
  if (column === undefined || value === undefined || value === null) return partKey(uuid, rowHash(read.cell));
  return partKey(uuid, partOf(value, secret.includes(column)));
}

/**
 * The key that refuses a malformed row: the row's own if its first unique column is well-formed. Otherwise it is the
 * entry's, which covers all its rows.
 */
export function keyOfBroken(
  { row: schema, unique: [column] = [], secret = [] }: Table,
  uuid: string,
  raw: object,
): string {
  const columns = "shape" in schema ? (schema.shape as Record<string, Table["row"]>) : {};
  const value = (raw as Record<string, unknown>)[column ?? ""];
  if (column === undefined || value === undefined || value === null) return entryKey(uuid);
  const read = Object.hasOwn(columns, column) ? columns[column]?.safeParse(value) : undefined;
  return read?.success ? partKey(uuid, partOf(read.data as unknown as Json, secret.includes(column))) : entryKey(uuid);
}

/** A value as part of a key: short printable ASCII unchanged, other values and secrets as a hash. */
function partOf(value: Json, hidden: boolean): string {
  const text = typeof value === "string" ? value : canonical(value);
  return !hidden && /^[!-~]{1,100}$/.test(text) ? text : rowHash(canonical(value));
}
