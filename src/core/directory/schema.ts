import { attributeName } from "./attributes.ts";
import { type Equality, equalityCalled } from "./equality.ts";
import { standardEqualities } from "./standard-equalities.ts";

/** An attribute type of a server's schema (RFC 4512, 4.1.2). */
export interface AttributeType {
  /** Its names as the schema writes them, and its object identifier. The first name is the one that servers send. */
  readonly names: readonly string[];
  /** Its equality rule as the schema calls it, which may be that of the type above it; absent if it has none. */
  readonly equality?: string | undefined;
}

/** The attributes that a directory knows: their names, and how it compares their values. */
export interface Schema {
  /** The normal name of an attribute description, for every alias and case (`CN;Lang-FR` is `cn;lang-fr`). */
  nameOf(text: string): string;
  /** The equality rule of an attribute, by its normal name without options; undefined if it cannot be known. */
  equalityOf(name: string): Equality | undefined;
}

/** The property under which an entry of a mirror has the schema of its directory. */
export const schemaKey = Symbol("the schema of a directory");

/** The schema of an entry's directory: the standard one, if the entry is none of a mirror. */
export const schemaOfEntry = (entry: object): Schema =>
  (entry as { readonly [schemaKey]?: Schema })[schemaKey] ?? standardSchema;

/** The schema of directories that show none: the standard ones. */
export const standardSchema: Schema = {
  nameOf: attributeName,
  equalityOf: (name) => standardEqualities.get(name),
};

/**
 * The standard schema without its folding beyond ASCII: two values are equal by it only if they are at every server.
 * A source without entryUUIDs tells entries apart by it.
 */
export const cautiousSchema: Schema = {
  nameOf: attributeName,
  equalityOf: (name) => (standardEqualities.get(name) === "ignoringCase" ? "asciiCase" : "octets"),
};

/**
 * The schema of a server by its attribute types. Where it says nothing of an attribute, the standard schemas count. The
 * normal name of an attribute is that of its first name, under which a server sends its values.
 */
export function schemaOf(types: readonly AttributeType[]): Schema {
  const names = new Map<string, string>();
  const equalities = new Map<string, Equality | undefined>();
  for (const { names: written, equality } of types) {
    const all = written.map((name) => name.toLowerCase());
    if (all[0] === undefined) continue;
    const normal = attributeName(all[0]);
    for (const alias of all) names.set(alias, normal);
    // A value without an equality rule has no other spelling.
    equalities.set(normal, equality === undefined ? "octets" : equalityCalled(equality));
  }
  return {
    nameOf(text) {
      const lower = text.trim().toLowerCase();
      if (!lower.includes(";")) return names.get(lower) ?? attributeName(lower);
      const [type = "", ...options] = attributeName(lower).split(";");
      return [names.get(type) ?? type, ...options].join(";");
    },
    equalityOf: (name) => (equalities.has(name) ? equalities.get(name) : standardEqualities.get(name)),
  };
}
