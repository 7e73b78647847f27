import type { Attributes, Value } from "../../core/directory/entry.ts";
import type { Field } from "./field.ts";
import { wrongAt } from "./lines.ts";
import { uniqueValues } from "./value-key.ts";

/** The attributes of an entry whose DN is at a line, each with its values in order and without duplicates. */
export function attributesOf(fields: readonly Field[], line: number, file: string): Attributes {
  if (fields.length === 0) throw wrongAt(file, line, "expected at least one attribute after the DN");
  const attributes = new Map<string, Value[]>();
  for (const { name, value, line } of fields) {
    const word = words.get(name);
    if (word) throw wrongAt(file, line, `"${name}" has no place in an entry: ${word}`);
    const values = attributes.get(name);
    if (values) values.push(value);
    else attributes.set(name, [value]);
  }
  for (const [name, values] of attributes) if (values.length > 1) attributes.set(name, uniqueValues(values));
  return attributes;
}

/** The words of LDIF that are no names of attributes, each with a hint. */
const words = new Map([
  ["-", "it ends a modification"],
  ["dn", "a blank line must stand before the next record"],
  ["changetype", "it comes right after the DN"],
  ["control", "it comes right after the DN"],
]);
