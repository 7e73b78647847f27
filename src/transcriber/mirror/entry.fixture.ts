import { attributeName } from "../../core/directory/attributes.ts";
import type { StoredEntry, Value } from "../../core/directory/entry.ts";

/** An entry for a test: attributes as they would be written, one value or several. */
export function stored(
  uuid: string,
  dn: string,
  attributes: Record<string, Value | readonly Value[]> = {},
): StoredEntry {
  const values = Object.entries(attributes).map(([name, value]): [string, readonly Value[]] => [
    attributeName(name),
    Array.isArray(value) ? value : [value as Value],
  ]);
  return { uuid, dn, attributes: new Map(values) };
}
