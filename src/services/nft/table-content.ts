/** The content of a table's text: its elements by set and key, and the rest of its lines. */
export interface TableContent {
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly rest: string;
}

/** Reads a table as `tableText` writes it, with the commands of `movesText` that came later. */
export function withMoves(table: string, since: string): TableContent {
  const elements = new Map<string, Map<string, string>>();
  const of = (set: string): Map<string, string> => {
    const found = elements.get(set) ?? new Map<string, string>();
    elements.set(set, found);
    return found;
  };
  const keyOf = (element: string): string => element.split(" : ")[0] ?? element;
  const rest: string[] = [];
  let set = "";
  for (const line of table.split("\n")) {
    const element = /^\t\t\t(.*?),?$/.exec(line)?.[1];
    set = /^\t(?:set|map) (\S+) \{$/.exec(line)?.[1] ?? set;
    if (element !== undefined) of(set).set(keyOf(element), element);
    else if (line !== "\t\telements = {" && line !== "\t\t}") rest.push(line);
  }
  for (const line of since.split("\n")) {
    const [, verb, name = "", list = ""] = /^(add|delete) element \S+ \S+ (\S+) \{ (.*) \}$/.exec(line) ?? [];
    for (const element of verb ? list.split(", ") : []) {
      if (verb === "add") of(name).set(keyOf(element), element);
      else of(name).delete(keyOf(element));
    }
  }
  return { elements, rest: rest.join("\n") };
}

/** True if both have the same elements, in any order, and the same rest. */
export function sameContent(one: TableContent, other: TableContent): boolean {
  const names = new Set([...one.elements.keys(), ...other.elements.keys()]);
  const none: ReadonlyMap<string, string> = new Map();
  return (
    one.rest === other.rest &&
    [...names].every((name) => {
      const [left, right] = [one.elements.get(name) ?? none, other.elements.get(name) ?? none];
      return left.size === right.size && [...left].every(([key, element]) => right.get(key) === element);
    })
  );
}
