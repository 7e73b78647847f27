import type { Change } from "../../core/service/service.ts";
import type { Columns } from "../../core/util/json.ts";
import { type Element, type ElementSet, type Elements, elementsOf } from "./sets.ts";
import type { Moves } from "./text.ts";

/** The moves from the present elements to those of the rows, and the rows that cannot be moved. */

const nameOf = ([set, key]: Element): string => `${set.name} ${key}`;

/** The moves of elements for changes of rows: an element that one row gives up and another takes stays. */
export function movesOf(sets: readonly ElementSet[], changes: readonly Change<Columns>[]): Moves {
  const before = new Map<string, Element>();
  const after = new Map<string, Element>();
  for (const change of changes) {
    for (const element of change.before ? elementsOf(sets, change.before) : []) before.set(nameOf(element), element);
    for (const element of change.after ? elementsOf(sets, change.after) : []) after.set(nameOf(element), element);
  }
  return {
    remove: [...before].filter(([name, [, , value]]) => after.get(name)?.[2] !== value).map(([, element]) => element),
    add: [...after].filter(([name, [, , value]]) => before.get(name)?.[2] !== value).map(([, element]) => element),
  };
}

/** The moves that turn the present elements into the wanted ones. */
export function movesBetween(sets: readonly ElementSet[], there: Elements, wanted: Elements): Moves {
  const lacking = (set: ElementSet, from: Elements, other: Elements): Element[] =>
    [...(from.get(set.name) ?? [])]
      .filter(([key, value]) => other.get(set.name)?.get(key) !== value)
      .map(([key, value]) => [set, key, value]);
  return {
    remove: sets.flatMap((set) => lacking(set, there, wanted)),
    add: sets.flatMap((set) => lacking(set, wanted, there)),
  };
}

export const isNothing = ({ remove, add }: Moves): boolean => remove.length === 0 && add.length === 0;

/** The elements of rows, by set. */
export function gathered(sets: readonly ElementSet[], rows: Iterable<Columns>): Map<string, Map<string, string>> {
  const elements = new Map(sets.map(({ name }) => [name, new Map<string, string>()]));
  for (const row of rows) {
    for (const [set, key, value] of elementsOf(sets, row)) elements.get(set.name)?.set(key, value);
  }
  return elements;
}

/** True if two of the rows share an element: then there are fewer elements than the rows have. */
export function isContested(
  sets: readonly ElementSet[],
  rows: Iterable<Columns | undefined>,
  elements: Elements,
): boolean {
  let surplus = 0;
  for (const row of rows) surplus += row ? elementsOf(sets, row).length : 0;
  for (const { size } of elements.values()) surplus -= size;
  return surplus > 0;
}
