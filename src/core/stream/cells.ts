import { createHash } from "node:crypto";
import type { Json } from "../util/json.ts";

/**
 * The value of one key, in the bytes that are sent, stored and hashed. It is a row in canonical JSON (`{…}`), or a
 * refusal, for which a host retains its last good row. A refusal is `!` and the reason. Behind U+001F follow the
 * columns and attributes that it is about, if any, separated by commas. A duplicate claim is about none of them. Behind
 * a second U+001F it may have the hash of the row that the entry would have without the other claim.
 */
export type Cell = string;

/** The separator between the reason of a refusal and the names that it is about: U+001F. */
const aboutMark = "\u001f";

/** A key with its new cell; null removes the key. */
export type CellChange = readonly [key: string, cell: Cell | null];

/** A refusal as a cell. A name with a comma or a control character is left out: no column has one. */
export function refusedCell(why: string, about: Iterable<string> = []): Cell {
  const names = [...new Set(about)].filter((name) => !/[,\p{Cc}]/u.test(name)).sort();
  return `!${why.replaceAll(aboutMark, " ")}${names.length > 0 ? aboutMark + names.join(",") : ""}`;
}
/** The refusal of a row because of another claim to one of its values, as a cell that names the row by its hash. */
export const contestedCell = (why: string, row: Cell): Cell =>
  `${refusedCell(why)}${aboutMark}${aboutMark}${rowHash(row)}`;
/** The hash of the row that a duplicate claim refuses; undefined for any other cell. */
export const contestedRow = (cell: Cell): string | undefined =>
  isRefused(cell) ? cell.split(aboutMark, 3)[2] : undefined;

/**
 * The name in place of those that a refusal is about, if `select` did not end in time. No table removes such a row: the
 * time says nothing about the entry.
 */
export const undecided = "?";

/** True for the cell of an entry whose `select` did not end in time. */
export const isUndecided = (cell: Cell): boolean => isRefused(cell) && aboutOf(cell).includes(undecided);

export const isRefused = (cell: Cell): boolean => cell.startsWith("!");
/** The SQL test for a refused cell, in a column that holds a cell or NULL; false for NULL. */
export const isRefusedSql = (column: string): string => `(${column} IS NOT NULL AND substr(${column}, 1, 1) = '!')`;
/** The reason of a refused cell, in words. */
export const refusalOf = (cell: Cell): string => cell.slice(1).split(aboutMark, 1)[0] ?? "";
/** The reason of a refused cell in SQL, of a column that holds one. */
export const refusalSql = (column: string): string =>
  `substr(${column}, 2, instr(${column} || char(31), char(31)) - 2)`;
/** The columns and attributes that a refused cell is about. */
export const aboutOf = (cell: Cell): string[] =>
  cell
    .split(aboutMark, 2)[1]
    ?.split(",")
    .filter((name) => name !== "") ?? [];

/** The most bytes that a row may have. */
export const rowLimit = 64 * 1024;

/** The key of an entry's only row. A refusal of the whole entry has this key, too. */
export const entryKey = (uuid: string): string => uuid;

/** The key of one of an entry's several rows: `part` is its first unique column, or a hash of the row. */
export const partKey = (uuid: string, part: string): string => `${uuid}/${part}`;

/**
 * The key of the whole entry to which a key belongs. A refusal there retains every row of the entry that has no cell of
 * its own. `identityOfDn` escapes the slashes of a DN.
 */
export function coverOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

/** JSON in the one form of RFC 8785: sorted names, no space, so that equal rows are equal bytes. Undefined members are left out. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`);
    return `{${members.join(",")}}`;
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${value} is not a JSON number`);
  return JSON.stringify(value ?? null);
}

/** A short hash of a row, which names a row without a unique column. */
export const rowHash = (cell: Cell): string => createHash("sha256").update(cell).digest("hex").slice(0, 16);
