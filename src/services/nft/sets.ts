import { z } from "zod";
import { UserError } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { unknown } from "../../core/util/nearest.ts";
import { clean, dataTypes, type Type, verdictType } from "./types.ts";

/** The sets and maps of a table, and the elements of a row in them. */

const identifier = /^[a-zA-Z][a-zA-Z0-9_]{0,31}$/;
const name = z.string().regex(identifier, "is not a name (a letter, then letters, digits and _, at most 32)");

/** The declaration of a set or map. */
export const setSetting = z.strictObject({
  /** The type in nft's form: `ether_addr . ipv4_addr`, and for a map `ipv4_addr : mark`. */
  type: z.string(),
  /** The columns of the parts, in their order, of a map's value last. One column for a whole key holds its parts joined by ` . `. */
  columns: z.array(name).min(1, "is empty: a set needs a column"),
  /** True if addresses of the set may be networks. */
  interval: z.boolean().default(false),
  /** True if each element counts packets and bytes. */
  counter: z.boolean().default(false),
});
export const setSettings = z.record(name, setSetting);
export type SetSettings = z.output<typeof setSettings>;

export interface ElementSet {
  readonly name: string;
  readonly type: string;
  readonly interval: boolean;
  readonly counter: boolean;
  readonly key: Type;
  /** The type of a map's values. */
  readonly value: Type | undefined;
  /** The columns of the key: one for all of it, or one for each part. */
  readonly keyColumns: readonly string[];
  readonly valueColumn: string | undefined;
}

/** The elements of each set by their keys; the value of a map's key, and "" in a set. */
export type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>;

export type Element = readonly [set: ElementSet, key: string, value: string];

/** Reads the declarations; throws a `UserError` that names a wrong one and its fault. */
export function readSets(settings: SetSettings): ElementSet[] {
  return Object.entries(settings).map(([name, { type, columns, interval, counter }]) => {
    const wrong = (why: string): UserError => new UserError(`nftables: sets.${name}: ${why}`);
    const [keyText = "", valueText, ...more] = type.split(":").map((part) => part.trim());
    if (more.length > 0) throw wrong(`type: ${JSON.stringify(type)} has more than one value`);
    const key = { name: keyText, interval, parts: keyText.split(".").map((part) => dataType(part.trim())) };
    const value =
      valueText === undefined
        ? undefined
        : {
            name: valueText,
            interval: false,
            parts: valueText === "verdict" ? [verdictType] : valueText.split(".").map((part) => dataType(part.trim())),
          };
    const keyColumns = value ? columns.slice(0, -1) : columns;
    if (keyColumns.length !== 1 && keyColumns.length !== key.parts.length) {
      const parts = `${key.parts.length}${value ? " and one for the value" : ""}`;
      throw wrong(
        `columns: ${columns.join(", ")}: expected one for each part of ${type} (${parts}), or one for the key`,
      );
    }
    return { name, type, interval, counter, key, value, keyColumns, valueColumn: value && columns.at(-1) };

    function dataType(part: string) {
      const found = Object.hasOwn(dataTypes, part) ? dataTypes[part] : undefined;
      if (!found)
        throw wrong(`type: ${unknown("type", part, [...Object.keys(dataTypes), "verdict (of a map's value)"])}`);
      return found;
    }
  });
}

/** The types of a named column in the sets. */
function typesOf(sets: readonly ElementSet[], column: string): Type[] {
  return sets.flatMap((set) => {
    const { key, value, keyColumns, valueColumn } = set;
    const whole = keyColumns.length === 1 && keyColumns[0] === column ? [key] : [];
    const parts =
      keyColumns.length > 1
        ? key.parts.flatMap((part, index) =>
            keyColumns[index] === column
              ? [{ name: key.name.split(".")[index]?.trim() ?? "", interval: key.interval, parts: [part] }]
              : [],
          )
        : [];
    return [...whole, ...parts, ...(value && valueColumn === column ? [value] : [])];
  });
}

export const columnsOf = (sets: readonly ElementSet[]): string[] => [
  ...new Set(sets.flatMap(({ keyColumns, valueColumn }) => [...keyColumns, ...(valueColumn ? [valueColumn] : [])])),
];

/**
 * The row of these sets. Each column has the types that the sets give it, and the row is an element of at least one of
 * them. All its elements have its first unique column, which identifies their row.
 */
export function rowOf(sets: readonly ElementSet[], unique: readonly string[]) {
  const columns = columnsOf(sets).map((column) => {
    const types = typesOf(sets, column);
    const what = [...new Set(types.map((type) => `${type.name}${type.interval ? " (or a network)" : ""}`))].join(
      " or ",
    );
    const read = (text: string): string | undefined => {
      for (const type of types) {
        const value = clean(type, text);
        if (value !== undefined) return value;
      }
      return undefined;
    };
    const schema = z
      .string({ error: ({ input }) => (input === undefined ? "is missing" : `is not ${what}`) })
      .overwrite((text) => read(text) ?? text)
      .refine((text) => read(text) === text, `is not ${what}`);
    const everywhere = sets.every((set) => [...set.keyColumns, set.valueColumn].includes(column));
    return [column, everywhere ? schema : schema.optional()] as const;
  });
  return z.object(Object.fromEntries(columns)).superRefine((row, { addIssue }) => {
    const elements = elementsOf(sets, row);
    const shown = JSON.stringify(row).slice(0, 200);
    if (elements.length === 0) addIssue(`is an element of no set: ${shown}`);
    const name = unique.find((column) => row[column] !== undefined);
    const apart = elements.find(([{ keyColumns }]) => name !== undefined && !keyColumns.includes(name));
    if (apart) addIssue(`the element of ${apart[0].name} needs a row of its own, because it has no ${name}: ${shown}`);
  });
}

/** The elements of a row: one of each set whose columns it has, with values of its types. */
export function elementsOf(sets: readonly ElementSet[], row: Columns): Element[] {
  return sets.flatMap((set): Element[] => {
    const values = set.keyColumns.map((column) => row[column]);
    if (values.some((value) => typeof value !== "string")) return [];
    const key = clean(set.key, values.join(" . "));
    if (key === undefined) return [];
    if (!set.value) return [[set, key, ""]];
    const given = row[set.valueColumn ?? ""];
    const value = typeof given === "string" ? clean(set.value, given) : undefined;
    return value === undefined ? [] : [[set, key, value]];
  });
}

/** The columns of an element. */
export function columnsOfElement([set, key, value]: Element): Record<string, string> {
  const parts = set.keyColumns.length === 1 ? [key] : key.split(" . ");
  const columns = Object.fromEntries(set.keyColumns.map((column, index) => [column, parts[index] ?? ""]));
  return set.valueColumn === undefined ? columns : { ...columns, [set.valueColumn]: value };
}

/**
 * The columns, as null, that a row of the kernel lacks, though its name may be in a set with them. That element was
 * removed by hand.
 */
export function lackingColumns(sets: readonly ElementSet[], unique: readonly string[], row: Columns): Columns {
  const name = unique.find((column) => column in row) ?? "";
  const fitting = sets.filter(({ key, keyColumns }) => {
    const at = keyColumns.indexOf(name);
    const parts = keyColumns.length === 1 ? key.parts : key.parts.slice(at, at + 1);
    return at >= 0 && clean({ ...key, parts }, String(row[name])) !== undefined;
  });
  return Object.fromEntries(columnsOf(fitting).map((column) => [column, null]));
}
