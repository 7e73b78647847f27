import { nameForm } from "./dn.ts";
import { formBy } from "./equality.ts";
import { type Schema, standardSchema } from "./schema.ts";

/**
 * The form in which a value of an attribute is compared, by the attribute's equality rule in the schema. A value whose
 * rule cannot be known is compared exactly. Takes the normal name of the attribute, and ignores its options.
 */
export function comparable(attribute: string, text: string, schema: Schema = standardSchema): string {
  const equality = schema.equalityOf(attribute.split(";", 1)[0] ?? "") ?? "octets";
  if (equality === "name" || equality === "nameAndBits") return nameForm(equality, text, schema);
  return formBy(equality, text);
}
