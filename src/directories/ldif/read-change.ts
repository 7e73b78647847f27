import { attributeName, isAttribute } from "../../core/directory/attributes.ts";
import { parseDn } from "../../core/directory/dn.ts";
import type { Value } from "../../core/directory/entry.ts";
import { unknown } from "../../core/util/nearest.ts";
import { dnOf, type Field, textOf } from "./field.ts";
import { wrongAt } from "./lines.ts";
import { attributesOf } from "./read-attributes.ts";
import type { About, ChangeRecord, Modification } from "./record.ts";
import { uniqueValues } from "./value-key.ts";

/** The change record with a changetype and the lines after it. */
export function changeOf(about: About, changetype: Field, body: readonly Field[], file: string): ChangeRecord {
  const word = textOf(changetype, file).trim();
  const change = Object.hasOwn(changes, word.toLowerCase()) ? changes[word.toLowerCase()] : undefined;
  if (!change) throw wrongAt(file, changetype.line, unknown("changetype", word.slice(0, 40), Object.keys(changes)));
  return change(about, body, file);
}

type Change = (about: About, body: readonly Field[], file: string) => ChangeRecord;

const rename: Change = (about, body, file) => {
  const [newRdn, deleteOld, superior, ...others] = body;
  if (newRdn?.name !== "newrdn") throw expected("newrdn:", newRdn, about, file);
  if (deleteOld?.name !== "deleteoldrdn") throw expected("deleteoldrdn:", deleteOld, about, file);
  if (superior && superior.name !== "newsuperior") throw expected("newsuperior:", superior, about, file);
  if (others[0]) throw expected("the end of the record", others[0], about, file);
  const rdn = dnOf(newRdn, file);
  if (parseDn(rdn).length !== 1) throw wrongAt(file, newRdn.line, `expected one component of a DN, found "${rdn}"`);
  const flag = textOf(deleteOld, file).trim();
  if (flag !== "0" && flag !== "1")
    throw wrongAt(file, deleteOld.line, `deleteoldrdn: expected 0 or 1, found "${flag}"`);
  const to = { newRdn: rdn, deleteOldRdn: flag === "1" };
  return { ...about, kind: "rename", ...to, ...(superior && { newSuperior: dnOf(superior, file) }) };
};

const changes: { readonly [changetype: string]: Change } = {
  add: (about, body, file) => ({ ...about, kind: "add", attributes: attributesOf(body, about.line, file) }),
  delete(about, body, file) {
    if (body[0]) throw expected("the end of the record", body[0], about, file);
    return { ...about, kind: "delete" };
  },
  modify: (about, body, file) => ({ ...about, kind: "modify", modifications: modificationsOf(body, file) }),
  modrdn: rename,
  moddn: rename,
};

function modificationsOf(fields: readonly Field[], file: string): Modification[] {
  const modifications: Modification[] = [];
  for (let at = 0; at < fields.length; at++) {
    const head = fields[at] as Field;
    const { name: kind, line } = head;
    if (kind !== "add" && kind !== "delete" && kind !== "replace") {
      throw wrongAt(file, line, `expected "add:", "delete:" or "replace:", found "${kind}"`);
    }
    const written = textOf(head, file).trim();
    if (!isAttribute(written)) throw wrongAt(file, line, `${kind}: expected the name of an attribute`);
    const attribute = attributeName(written);
    const values: Value[] = [];
    for (at++; at < fields.length && fields[at]?.name !== "-"; at++) {
      const { name, value, line } = fields[at] as Field;
      if (name !== attribute) throw wrongAt(file, line, `expected "${attribute}:" or "-", found "${name}:"`);
      values.push(value);
    }
    if (kind === "add" && values.length === 0) throw wrongAt(file, line, `add: expected a value of ${attribute}`);
    modifications.push({ kind, attribute, values: uniqueValues(values), line });
  }
  return modifications;
}

function expected(what: string, found: Field | undefined, about: About, file: string): Error {
  const seen = found ? `found "${found.name}"` : "found the end of the record";
  return wrongAt(file, found?.line ?? about.line, `expected ${what}, ${seen}`);
}
