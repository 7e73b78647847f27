import type { Attributes, StoredEntry, Value } from "../../core/directory/entry.ts";
import type { Table } from "../../core/service/service.ts";
import { type Cell, type CellChange, coverOf, isRefused } from "../../core/stream/cells.ts";
import { transcription } from "../../transcriber/tables/transcription.ts";

/** The rows of a service by key, refusals among them. */
export type Cells = ReadonlyMap<string, Cell>;

/** The rows that entries give a service at a moment, by the transcriber's own computation. */
export function cellsOf(name: string, table: Table, entries: readonly StoredEntry[], reading: Reading): Cells {
  const computed = transcription(new Map([[name, table]]), { timezone: reading.timezone });
  computed.refresh(entries, reading.now);
  return new Map([...computed.table(name).entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface Reading {
  readonly timezone: string;
  /** The time, in milliseconds since 1970. */
  readonly now: number;
}

/** The rows of a table that are no refusals. */
export const goodRows = (cells: Cells): [key: string, cell: Cell][] =>
  [...cells].filter(([, cell]) => !isRefused(cell));

/** The changes that turn one table into another. */
export function changesBetween(before: Cells, after: Cells): CellChange[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.filter((key) => before.get(key) !== after.get(key)).map((key) => [key, after.get(key) ?? null]);
}

/** The most entries with rows that the kit plays with, and the most of a directory that is used whole. */
const mostGivers = 5;
const wholeDirectory = 60;

/** A few entries that give rows, with the entries on which these rows depend. A small directory is used whole. */
export function sampled(name: string, table: Table, all: readonly StoredEntry[], reading: Reading): StoredEntry[] {
  if (all.length <= wholeDirectory) return [...all];
  const whole = cellsOf(name, table, all, reading);
  const byUuid = new Map(all.map((entry) => [entry.uuid, entry]));
  const givers: StoredEntry[] = [];
  for (const [key] of goodRows(whole)) {
    const giver = byUuid.get(coverOf(key));
    if (giver && !givers.includes(giver)) givers.push(giver);
    if (givers.length === mostGivers) break;
  }
  return withNeighbours(givers, all);
}

/** Entries, those that they name by DN, those that name them, and the entries above each of these. */
function withNeighbours(entries: readonly StoredEntry[], all: readonly StoredEntry[]): StoredEntry[] {
  const normal = (dn: string): string => dn.toLowerCase().replace(/\s*([,=])\s*/g, "$1");
  const byDn = new Map(all.map((entry) => [normal(entry.dn), entry]));
  const texts = (entry: StoredEntry): string[] => [...entry.attributes.values()].flat().filter(isText).map(normal);
  const found = new Set(entries);
  const named = (from: Iterable<StoredEntry>): StoredEntry[] =>
    [...from].flatMap((entry) => texts(entry).flatMap((text) => byDn.get(text) ?? []));
  for (const entry of named(named(found))) found.add(entry);
  for (const entry of named(entries)) found.add(entry);
  const dns = new Set([...found].map(({ dn }) => normal(dn)));
  const naming = all.filter((entry) => texts(entry).some((text) => dns.has(text)));
  for (const entry of naming.slice(0, 4 * mostGivers)) found.add(entry);
  for (const { dn } of [...found]) {
    for (let at = normal(dn); at !== ""; at = at.slice(at.indexOf(",") + 1 || at.length)) {
      const above = byDn.get(at);
      if (above) found.add(above);
    }
  }
  return all.filter((entry) => found.has(entry));
}

export const isText = (value: Value): value is string => typeof value === "string";

/** An entry with one attribute, or its DN, replaced. */
export function withValue(entry: StoredEntry, attribute: string, values: readonly Value[]): StoredEntry {
  const attributes: Attributes = new Map([...entry.attributes, [attribute, values]]);
  return { ...entry, attributes };
}

/** All texts of rows, also within lists and objects. */
export function valuesOf(cells: Cells): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "object" && value !== null) for (const one of Object.values(value)) visit(one);
    else if (value !== null) found.add(String(value));
  };
  for (const cell of cells.values()) visit(JSON.parse(cell));
  return [...found];
}
