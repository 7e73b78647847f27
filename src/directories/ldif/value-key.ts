import { normalDn } from "../../core/directory/dn.ts";
import type { Value } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import { standardSchema } from "../../core/directory/schema.ts";
import { normalValue } from "../../core/directory/values.ts";

/** The values without duplicates, compared byte by byte. */
export function uniqueValues(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [exactKey(value), value])).values()];
}

/**
 * The key of a value of an attribute: equal for two values that LDAP considers equal, as far as that is known without a
 * schema.
 */
export function valueKey(attribute: string, value: Value): string {
  if (typeof value !== "string") return exactKey(value);
  if (standardSchema.equalityOf(attribute.split(";", 1)[0] ?? "") !== undefined)
    return `text:${comparable(attribute, value)}`;
  return value.includes("=") ? `dn:${asDn(value)}` : `text:${normalValue(value)}`;
}

const exactKey = (value: Value): string =>
  typeof value === "string" ? `text:${value}` : `bytes:${Buffer.from(value).toString("latin1")}`;

function asDn(value: string): string {
  try {
    return normalDn(value);
  } catch {
    return normalValue(value); // a value with an equals sign may be no DN
  }
}
