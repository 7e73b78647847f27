import { type Ava, parseDn } from "../../core/directory/dn.ts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import type { Modification } from "./record.ts";
import { valueKey } from "./value-key.ts";

/**
 * The attributes of an entry after modifications in order (RFC 4511, 4.6). `refuse` makes the error of an impossible
 * one.
 */
export function modified(
  attributes: Attributes,
  modifications: readonly Modification[],
  refuse: (why: string, line: number) => Error,
): Attributes {
  const after = new Map(attributes);
  for (const { kind, attribute, values, line } of modifications) {
    const held = after.get(attribute);
    const keys = new Set((kind === "replace" ? [] : (held ?? [])).map((value) => valueKey(attribute, value)));
    const named = new Set<string>();
    for (const value of values) {
      const key = valueKey(attribute, value);
      if (named.has(key) || (kind !== "delete" && keys.has(key))) {
        throw refuse(`attributeOrValueExists: ${attribute} has this value already`, line);
      }
      if (kind === "delete" && !keys.has(key)) throw refuse(`noSuchAttribute: ${attribute} has no such value`, line);
      named.add(key);
    }
    if (kind === "delete" && !held) throw refuse(`noSuchAttribute: there is no ${attribute}`, line);
    const left = (held ?? []).filter((value) => values.length > 0 && !named.has(valueKey(attribute, value)));
    put(after, attribute, kind === "delete" ? left : kind === "add" ? [...(held ?? []), ...values] : values);
  }
  return after;
}

/** The attributes with the values of the RDN added that they lack. */
export function withRdn(attributes: Attributes, dn: string): Attributes {
  const after = new Map(attributes);
  for (const { attribute, value } of textAvas(dn)) {
    const held = after.get(attribute) ?? [];
    if (!has(after, attribute, value)) after.set(attribute, [...held, value]);
  }
  return after;
}

/** The attributes without the values of the RDN. */
export function withoutRdn(attributes: Attributes, dn: string): Attributes {
  const after = new Map(attributes);
  for (const { attribute, value } of textAvas(dn)) {
    const key = valueKey(attribute, value);
    put(
      after,
      attribute,
      (after.get(attribute) ?? []).filter((held) => valueKey(attribute, held) !== key),
    );
  }
  return after;
}

/** The first attribute whose value of the RDN the modifications have removed; undefined if none. */
export const lostRdn = (dn: string, before: Attributes, after: Attributes): string | undefined =>
  textAvas(dn).find(({ attribute, value }) => has(before, attribute, value) && !has(after, attribute, value))
    ?.attribute;

/** The parts of the RDN with text values. Other values are encoded in a DN, and not comparable with attributes. */
const textAvas = (dn: string): readonly Ava[] =>
  (parseDn(dn)[0] ?? []).filter(({ value }) => typeof value === "string");

function has(attributes: Attributes, attribute: string, value: Value): boolean {
  const key = valueKey(attribute, value);
  return (attributes.get(attribute) ?? []).some((held) => valueKey(attribute, held) === key);
}

function put(attributes: Map<string, readonly Value[]>, attribute: string, values: readonly Value[]): void {
  if (values.length > 0) attributes.set(attribute, values);
  else attributes.delete(attribute);
}
