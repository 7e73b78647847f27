/** The content that the writer expects in the directory: a tree of entries, updated with each change. */

export interface Node {
  readonly id: number;
  /** The number of the parent; 0 is the base, above all entries. */
  parent: number;
  rdn: readonly [attribute: string, value: string];
  attributes: Record<string, readonly string[]>;
}

export interface Model {
  readonly nodes: Map<number, Node>;
  next: number;
  /** Called after each state that the directory passes through. */
  noted: () => void;
}

/** One change, in the form that the directory receives it. */
export interface Written {
  /** A change record in LDIF. */
  readonly ldif: string;
  /** Result codes of a repeated change that show that the first attempt had succeeded. */
  readonly done: readonly number[];
}

export const base = "dc=campus,dc=example";

export const newModel = (): Model => ({ nodes: new Map(), next: 1, noted: () => {} });

export const copyOf = (model: Model): Model => ({ ...model, nodes: structuredClone(model.nodes) });

export const childrenOf = ({ nodes }: Model, id: number): Node[] =>
  [...nodes.values()].filter(({ parent }) => parent === id);

export function nodeOf({ nodes }: Model, id: number): Node {
  const node = nodes.get(id);
  if (!node) throw new Error(`the writer knows no entry ${id}`);
  return node;
}

export function dnOf(model: Model, id: number): string {
  if (id === 0) return base;
  const { rdn, parent } = nodeOf(model, id);
  return `${rdnOf(rdn)},${dnOf(model, parent)}`;
}

const rdnOf = ([attribute, value]: Node["rdn"]): string =>
  `${attribute}=${value.replace(/[\\,+"<>;=]/g, (sign) => `\\${sign}`)}`;

/** All attributes, including the one in the entry's name. */
export const attributesOf = ({ rdn: [attribute, value], attributes }: Node): Record<string, readonly string[]> => ({
  ...attributes,
  [attribute]: [value, ...(attributes[attribute] ?? [])],
});

export function addNode(model: Model, node: Omit<Node, "id">): Written {
  const id = model.next++;
  model.nodes.set(id, { ...node, id });
  model.noted();
  return { ldif: recordOf(model, id, ["changetype: add"]), done: [entryAlreadyExists] };
}

/** The LDIF record of an entry that exists. */
export function recordOf(model: Model, id: number, head: readonly string[] = []): string {
  const lines = Object.entries(attributesOf(nodeOf(model, id))).flatMap(([name, values]) =>
    values.map((value) => line(name, value)),
  );
  return [line("dn", dnOf(model, id)), ...head, ...lines, "", ""].join("\n");
}

/** Replaces values. An empty list removes the attribute, except for the value in the entry's name. */
export function replace(model: Model, id: number, given: Record<string, readonly string[]>): Written {
  const node = nodeOf(model, id);
  const lines = Object.entries(given).flatMap(([name, values]) => {
    const { [name]: _, ...others } = node.attributes;
    node.attributes = values.length > 0 ? { ...others, [name]: values } : others;
    const own = name === node.rdn[0] ? [node.rdn[1]] : [];
    return [`replace: ${name}`, ...[...own, ...values].map((value) => line(name, value)), "-"];
  });
  model.noted();
  return { ldif: [line("dn", dnOf(model, id)), "changetype: modify", ...lines, "", ""].join("\n"), done: [] };
}

/** Gives an entry another name, another place, or both. The entries below it move along. */
export function rename(model: Model, id: number, value: string, parent?: number): Written {
  const node = nodeOf(model, id);
  const dn = dnOf(model, id);
  node.rdn = [node.rdn[0], value];
  if (parent !== undefined) node.parent = parent;
  model.noted();
  const superior = parent === undefined ? [] : [line("newsuperior", dnOf(model, parent))];
  const lines = ["changetype: modrdn", line("newrdn", rdnOf(node.rdn)), "deleteoldrdn: 1", ...superior];
  return { ldif: [line("dn", dn), ...lines, "", ""].join("\n"), done: [noSuchObject, entryAlreadyExists] };
}

/** Deletes an entry and all entries below it, the lowest first. */
export function remove(model: Model, id: number): Written[] {
  const below = childrenOf(model, id).flatMap((child) => remove(model, child.id));
  const ldif = [line("dn", dnOf(model, id)), "changetype: delete", "", ""].join("\n");
  model.nodes.delete(id);
  return [...below, { ldif, done: [noSuchObject] }];
}

const noSuchObject = 32;
const entryAlreadyExists = 68;

const line = (name: string, value: string): string => `${name}:: ${Buffer.from(value).toString("base64")}`;
