import { attributeName } from "../../core/attributes.ts";
import { parseDn } from "../../core/dn.ts";
import type { Attributes, Value } from "../../core/entry.ts";
import { unknown } from "../../core/nearest.ts";
import { reason } from "../../core/outcome.ts";
import { type Field, isAttribute } from "./field.ts";
import { wrongAt } from "./lines.ts";
import { uniqueValues } from "./value-key.ts";

interface About {
  /** The DN as written. */
  readonly dn: string;
  /** The line of the DN. */
  readonly line: number;
}

export type ContentRecord = About & { readonly kind: "content"; readonly attributes: Attributes };

export type ChangeRecord =
  | (About & { readonly kind: "add"; readonly attributes: Attributes })
  | (About & { readonly kind: "delete" })
  | (About & { readonly kind: "modify"; readonly modifications: readonly Modification[] })
  | (About & {
      readonly kind: "rename";
      readonly newRdn: string;
      readonly deleteOldRdn: boolean;
      /** Left out: the entry stays below the one that it is below. */
      readonly newSuperior?: string;
    });

export type LdifRecord = ContentRecord | ChangeRecord;

/** One step of a modify record. */
export interface Modification {
  readonly kind: "add" | "delete" | "replace";
  readonly attribute: string;
  readonly values: readonly Value[];
  readonly line: number;
}

/** Makes a record of its lines, of which there is at least one. */
export function recordOf([first, ...rest]: readonly Field[], file: string): LdifRecord {
  if (first?.name !== "dn") {
    const hint = first?.name === "search" ? " (the end of what ldapsearch prints: use `ldapsearch -LLL`)" : "";
    throw wrongAt(
      file,
      first?.line ?? 0,
      `expected "dn:" at the beginning of a record, found "${first?.name}:"${hint}`,
    );
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

function changeOf(about: About, changetype: Field, body: readonly Field[], file: string): ChangeRecord {
  const word = textOf(changetype, file).trim();
  const change = Object.hasOwn(changes, word.toLowerCase()) ? changes[word.toLowerCase()] : undefined;
  if (!change) throw wrongAt(file, changetype.line, unknown("changetype", word.slice(0, 40), Object.keys(changes)));
  return change(about, body, file);
}

function attributesOf(fields: readonly Field[], line: number, file: string): Attributes {
  if (fields.length === 0) throw wrongAt(file, line, "expected at least one attribute after the DN");
  const attributes = new Map<string, Value[]>();
  for (const { name, value, line } of fields) {
    if (words.has(name)) throw wrongAt(file, line, `"${name}" has no place in an entry${wordHint(name)}`);
    const values = attributes.get(name);
    if (values) values.push(value);
    else attributes.set(name, [value]);
  }
  for (const [name, values] of attributes) if (values.length > 1) attributes.set(name, uniqueValues(values));
  return attributes;
}

const words = new Set(["-", "dn", "changetype", "control"]);
const wordHint = (name: string): string =>
  name === "dn"
    ? ": a blank line must stand before the next record"
    : name === "-"
      ? ""
      : ": it comes right after the DN";

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

/** A control that must be honoured cannot be: there is no server here. */
function ignore(control: Field, file: string): void {
  const parts = /^([\d.]+)(?: +(true|false))? *(?::.*)?$/is.exec(textOf(control, file));
  if (!parts) throw wrongAt(file, control.line, "control: expected an object identifier, then true or false");
  if (parts[2]?.toLowerCase() === "true")
    throw wrongAt(file, control.line, `the critical control ${parts[1]} is not known`);
}

function dnOf(field: Field, file: string): string {
  const dn = textOf(field, file);
  try {
    parseDn(dn);
  } catch (error) {
    throw wrongAt(file, field.line, reason(error));
  }
  return dn;
}

function textOf({ name, value, line }: Field, file: string): string {
  if (typeof value !== "string") throw wrongAt(file, line, `${name}: expected text, found ${value.length} other bytes`);
  return value;
}

function expected(what: string, found: Field | undefined, about: About, file: string): Error {
  const seen = found ? `found "${found.name}"` : "found the end of the record";
  return wrongAt(file, found?.line ?? about.line, `expected ${what}, ${seen}`);
}
