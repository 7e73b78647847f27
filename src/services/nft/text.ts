import { notice } from "../settings.ts";
import type { Element, ElementSet, Elements } from "./sets.ts";
import { write } from "./types.ts";

/** The texts for nft. Every element comes from a type of its set; the rules are the administrator's own. */

/** A table by its family and name. */
export interface Place {
  readonly family: string;
  readonly table: string;
}

/** The removed and the added elements of one transaction. */
export interface Moves {
  readonly remove: readonly Element[];
  readonly add: readonly Element[];
}

/** The whole table in place of the present one: one transaction, so that no packet meets half of it. */
export function tableText({ family, table }: Place, sets: readonly ElementSet[], elements: Elements, rules: string) {
  const name = `${family} ${table}`;
  // The table is declared first, because a missing one cannot be deleted.
  let text = `# ${notice}\ntable ${name}\ndelete table ${name}\ntable ${name} {\n`;
  for (const set of sets) text += declaration(set, [...(elements.get(set.name) ?? [])]);
  return `${text}${rules.trimEnd()}\n}\n`;
}

/** The declaration, without elements: if it differs, the table is another one. */
export const structureText = (place: Place, sets: readonly ElementSet[], rules: string): string =>
  tableText(place, sets, new Map(), rules);

function declaration(set: ElementSet, elements: readonly (readonly [key: string, value: string])[]): string {
  const lines = [`type ${set.type}`];
  if (set.interval) lines.push("flags interval");
  if (set.counter) lines.push("counter");
  // The elements are sorted, so that equal sets have equal texts.
  const sorted = elements.map(([key, value]) => elementText([set, key, value])).sort();
  if (sorted.length > 0) lines.push(`elements = {\n\t\t\t${sorted.join(",\n\t\t\t")}\n\t\t}`);
  return `\t${set.value ? "map" : "set"} ${set.name} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
}

/** The elements of a row, as a person reads them. */
export const shownElements = (elements: readonly Element[]): string =>
  elements.map((element) => `${element[0].name} { ${elementText(element)} }`).join(", ");

function elementText([set, key, value]: Element): string {
  return set.value ? `${write(set.key, key)} : ${write(set.value, value)}` : write(set.key, key);
}

/** The moves as commands, removals first: two elements may swap. */
export const movesText = (place: Place, { remove, add }: Moves): string =>
  commands("delete", place, remove) + commands("add", place, add);

/**
 * Questions for `nft -c`, each answered in time that does not grow with the set. A removed element could be created, an
 * added one deleted. The check of a map's value is a question of its own, because the element must still exist. `nft
 * get element` would read the whole set.
 */
export function checkTexts(place: Place, { remove, add }: Moves): string[] {
  const back = new Set(add.map(([set, key]) => `${set.name} ${key}`));
  const gone = remove.filter(([set, key]) => !back.has(`${set.name} ${key}`));
  const given = add.filter(([set]) => set.value);
  return [commands("create", place, gone) + commands("delete", place, add), commands("add", place, given)].filter(
    (text) => text !== "",
  );
}

function commands(verb: "add" | "create" | "delete", { family, table }: Place, elements: readonly Element[]): string {
  let text = "";
  for (const [name, own] of Map.groupBy(elements, ([set]) => set.name)) {
    const texts = own.map((element) => (verb === "delete" ? write(element[0].key, element[1]) : elementText(element)));
    text += `${verb} element ${family} ${table} ${name} { ${texts.join(", ")} }\n`;
  }
  return text;
}
