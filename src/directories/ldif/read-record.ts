import type { Field } from "./field.ts";
import { dnOf, textOf } from "./field.ts";
import { wrongAt } from "./lines.ts";
import { attributesOf } from "./read-attributes.ts";
import { changeOf } from "./read-change.ts";
import type { LdifRecord } from "./record.ts";

/** Makes a record from its lines, at least one. */
export function recordOf([first, ...rest]: readonly Field[], file: string): LdifRecord {
  if (first?.name !== "dn") {
    const hint = first?.name === "search" ? " (the end of what ldapsearch prints: use `ldapsearch -LLL`)" : "";
    throw wrongAt(file, first?.line ?? 0, `expected "dn:" at the beginning of a record, found "${first?.name}"${hint}`);
  }
  const about = { dn: dnOf(first, file), line: first.line };
  const controls = rest.findIndex(({ name }) => name !== "control");
  const body = rest.slice(controls < 0 ? rest.length : controls);
  for (const control of rest.slice(0, rest.length - body.length)) ignore(control, file);
  const change = body[0];
  if (change?.name === "changetype") return changeOf(about, change, body.slice(1), file);
  if (body.length < rest.length) throw wrongAt(file, about.line, 'expected "changetype:" after "control:"');
  return { ...about, kind: "content", attributes: attributesOf(body, about.line, file) };
}

/** Ignores a control; throws a `UserError` for a critical one, as no server honours it here. */
function ignore(control: Field, file: string): void {
  const parts = /^([\d.]+)(?: +(true|false))? *(?::.*)?$/is.exec(textOf(control, file));
  if (!parts) throw wrongAt(file, control.line, "control: expected an object identifier, then true or false");
  if (parts[2]?.toLowerCase() === "true")
    throw wrongAt(file, control.line, `the critical control ${parts[1]} is not known`);
}
