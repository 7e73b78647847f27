import type { z } from "zod";
import { type Cell, canonical, rowLimit } from "../stream/cells.ts";
import type { Columns } from "../util/json.ts";
import { nearest } from "../util/nearest.ts";
import type { Table } from "./service.ts";

/** A row that its schema accepts, or the reason why the schema does not accept it. */
export type ReadRow = { readonly row: Columns; readonly cell: Cell } | WrongRow;

/** The reason for which a row is not accepted, and the columns that are missing or wrong. */
export interface WrongRow {
  readonly wrong: string;
  readonly about: readonly string[];
}

/** The most mistakes of a row that are named. A list of a hundred thousand values can have one in each. */
const most = 10;

/**
 * Reads a row strictly: each column by its type; an unknown column is a mistake. The values of secret columns are not
 * shown.
 */
export function readRow({ row: schema, secret = [] }: Table, raw: object): ReadRow {
  const read = schema.safeParse(raw);
  if (!read.success) {
    const columns = read.error.issues.flatMap(({ path: [column] }) => (column === undefined ? [] : [String(column)]));
    return { wrong: saidOf(read.error.issues, raw, secret), about: [...new Set(columns)] };
  }
  const row = read.data as Columns;
  for (const [column, value] of Object.entries(raw)) {
    if (value === undefined || column in row) continue;
    const near = nearest(column, Object.keys(row));
    return { wrong: `the row has no column ${column}${near ? `; did you mean ${near}?` : ""}`, about: [] };
  }
  const cell = canonical(row);
  const bytes = Buffer.byteLength(cell);
  if (bytes > rowLimit) return { wrong: `the row has ${bytes} bytes, the limit is ${rowLimit}`, about: [] };
  return { row, cell };
}

function saidOf(issues: readonly z.core.$ZodIssue[], raw: object, secret: readonly string[]): string {
  const first = issues.slice(0, most).map((issue) => said(issue, raw, secret));
  return [...first, ...(issues.length > most ? [`and ${issues.length - most} more`] : [])].join("; ");
}

function said(issue: z.core.$ZodIssue, raw: object, secret: readonly string[]): string {
  const column = String(issue.path[0] ?? "");
  if (column === "") return issue.message;
  const value = (raw as Record<string, unknown>)[column];
  const shown = secret.includes(column) ? "" : ` (${(JSON.stringify(value, big) ?? "nothing").slice(0, 80)})`;
  return `${column}: ${issue.message}${shown}`;
}

/** JSON has no bigint: without this, the text of the reason would throw. */
const big = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}n` : value);
