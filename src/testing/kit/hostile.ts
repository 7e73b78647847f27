import { posix } from "node:path";
import { rdnTexts } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { type CellChange, coverOf, isRefused } from "../../core/stream/cells.ts";
import { type Case, type Ending, fresh, good, rowsFor } from "./case.ts";
import { hostileValues } from "./hostile-values.ts";
import type { Told } from "./life.ts";
import { type Cells, changesBetween, isText, valuesOf, withValue } from "./samples.ts";
import { separatorsOf, shapesOf, shellSeparators } from "./shape.ts";

/** A place in the directory for a value. */
interface Place {
  readonly said: string;
  readonly good: string;
  with(value: string): StoredEntry;
}

/** A hostile value is refused, or stays one value: it adds no record, argument or path, and stops no other row. */
export async function hostileValuesStayInside(on: Case): Promise<readonly string[] | undefined> {
  const before = rowsFor(on);
  const harmless = await fresh(on, good(before));
  for (const place of placesOf(on, before)) {
    for (const [name, value] of hostileValues(place.good)) {
      const entry = place.with(value);
      const after = rowsFor(
        on,
        on.entries.map((other) => (other.uuid === entry.uuid ? entry : other)),
      );
      const moved = changesBetween(before, after).filter(([, cell]) => cell !== null && !isRefused(cell));
      if (moved.length === 0) continue;
      const hostile = await fresh(on, good(after));
      const found = harmOf(harmless, hostile, { before, after, moved, secret: on.secret });
      if (found)
        return [
          `${place.said} with ${name}${on.secret ? "" : `, ${JSON.stringify(value).slice(0, 100)},`} gives a row, and`,
          ...found,
        ];
    }
  }
  return undefined;
}

/** The places whose values change rows: each attribute once, and the name of an entry. */
function placesOf(on: Case, before: Cells): Place[] {
  const givers = new Set([...good(before).keys()].map(coverOf));
  const ordered = [...on.entries].sort((a, b) => Number(givers.has(b.uuid)) - Number(givers.has(a.uuid)));
  const places = new Map<string, Place>();
  for (const entry of ordered) {
    for (const [attribute, values] of entry.attributes) {
      const text = values.find(isText);
      if (text === undefined || attribute === "objectclass" || places.has(attribute)) continue;
      const others = values.filter((value) => value !== text);
      const place: Place = {
        said: `${attribute} of ${entry.dn}`,
        good: text,
        with: (value) => withValue(entry, attribute, [value, ...others]),
      };
      const without = on.entries.map((other) =>
        other.uuid === entry.uuid ? withValue(entry, attribute, others) : other,
      );
      if (changesBetween(before, rowsFor(on, without)).length > 0) places.set(attribute, place);
    }
    if (!givers.has(entry.uuid) || places.has("dn")) continue;
    places.set("dn", { said: `the name of ${entry.dn}`, good: nameOf(entry), with: (value) => named(entry, value) });
  }
  return [...places.values()];
}

const leafOf = (dn: string): [attribute: string, name: string] => {
  const [leaf = ""] = rdnTexts(dn);
  const equals = leaf.indexOf("=");
  return [leaf.slice(0, equals), leaf.slice(equals + 1)];
};
const nameOf = ({ dn }: StoredEntry): string => leafOf(dn)[1];

/** An entry whose RDN has this value. */
function named(entry: StoredEntry, value: string): StoredEntry {
  const [attribute] = leafOf(entry.dn);
  const escaped = [...Buffer.from(value)].map((byte) => {
    const sign = String.fromCharCode(byte);
    return /[0-9a-z]/i.test(sign) ? sign : `\\${byte.toString(16).padStart(2, "0")}`;
  });
  const dn = [`${attribute}=${escaped.join("")}`, ...rdnTexts(entry.dn).slice(1)].join(",");
  return { ...withValue(entry, attribute.toLowerCase(), [value]), dn };
}

interface Compared {
  readonly before: Cells;
  readonly after: Cells;
  readonly moved: readonly CellChange[];
  readonly secret: boolean;
}

/** Lines that show how a row with a hostile value does more than one with a good value; undefined if it does not. */
function harmOf(harmless: Ending, hostile: Ending, compared: Compared): readonly string[] | undefined {
  const { moved, before, after, secret } = compared;
  // A row that its daemon refuses is retained, and the others are applied.
  if (hostile.trouble === undefined && moved.some(([key]) => hostile.waiting.some(({ key: waits }) => waits === key)))
    return undefined;
  if (hostile.trouble !== undefined) return [`the run fails, so that no other row is applied: ${hostile.trouble}`];
  const values = valuesOf(good(before));
  const folders = ({ state }: Ending): string =>
    [...state.files.keys()]
      .map((path) => posix.dirname(path))
      .sort()
      .join("\n");
  if (folders(harmless) !== folders(hostile))
    return ["files lie elsewhere (- expected, + found):", ...moves(harmless.state.files, hostile.state.files)];
  const pairs = pairsOf(harmless, hostile);
  for (const [path, one, other] of pairs) {
    // A content with NULs is binary: it has lengths rather than separators.
    if (one.includes("\0")) continue;
    const found = newRecords(one, other, separatorsOf(one, values));
    if (found.length > 0) return [`${path} has other records:`, ...(secret ? [] : found)];
  }
  return harmOfCommands(harmless.told, hostile.told, [...values, ...valuesOf(good(after))]);
}

/** The texts of files in pairs, harmless and hostile; a file that is named after a row has another name. */
function pairsOf(harmless: Ending, hostile: Ending): [path: string, one: string, other: string][] {
  const only = (a: Ending, b: Ending): string[] =>
    [...a.state.files.keys()].filter((path) => !b.state.files.has(path)).sort();
  const renamed = only(hostile, harmless);
  const moved = new Map(only(harmless, hostile).map((path, index) => [path, renamed[index] ?? path]));
  return [...harmless.state.files].map(([path, text]) => [
    path,
    text,
    hostile.state.files.get(moved.get(path) ?? path) ?? "",
  ]);
}

/** The lines of a text whose shape the other text lacks, or has less often. */
export function newRecords(one: string, other: string, separators: ReadonlySet<string>): string[] {
  const count = new Map<string, number>();
  for (const shape of shapesOf(one, separators)) count.set(shape, (count.get(shape) ?? 0) + 1);
  const lines = other.split(/\r\n|[\n\r\0]/);
  return shapesOf(other, separators).flatMap((shape, index) => {
    const left = count.get(shape) ?? 0;
    count.set(shape, left - 1);
    return left > 0 ? [] : [`+ ${lines[index]}`];
  });
}

const shells = new Set(["sh", "bash", "dash", "ksh", "zsh", "ssh", "su", "eval"]);

export function harmOfCommands(
  harmless: readonly Told[],
  hostile: readonly Told[],
  values: readonly string[],
): readonly string[] | undefined {
  const wordsOf = ({ asked }: Told): readonly string[] => ("socket" in asked ? [asked.socket] : asked);
  const shape = (told: Told): string => {
    const [program = "", ...rest] = wordsOf(told);
    const isShell = shells.has(posix.basename(program));
    const options = rest.map((word, index) =>
      word.startsWith("-") && !rest.slice(0, index).includes("--")
        ? "option"
        : isShell
          ? shapesOf(word, shellSeparators).join("\n")
          : "word",
    );
    const input = told.input ?? "";
    return [program, ...options, shapesOf(input, separatorsOf(input, values)).sort().join("\n")].join(" ");
  };
  const known = new Set(harmless.map(shape));
  const other = hostile.find((told) => !known.has(shape(told)));
  if (!other) return undefined;
  return [
    "another command is run:",
    `+ ${JSON.stringify(wordsOf(other))}`,
    ...(other.input ? [`+ ${other.input}`] : []),
  ];
}

/** The paths that only one of two states has. */
const moves = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] => [
  ...[...before.keys()].filter((path) => !after.has(path)).map((path) => `- ${path}`),
  ...[...after.keys()].filter((path) => !before.has(path)).map((path) => `+ ${path}`),
];
