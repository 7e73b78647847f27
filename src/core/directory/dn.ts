import { isUtf8 } from "node:buffer";
import { BerReader, encoded, octetString } from "../util/ber.ts";
import type { Value } from "./entry.ts";
import { formBy, type NameEquality } from "./equality.ts";
import { cautiousSchema, type Schema, standardSchema } from "./schema.ts";
import { normalValue } from "./values.ts";

/** Distinguished names (RFC 4514), compared as LDAP compares them. */

/** An attribute and its value in a DN. A value that is not text is its BER encoding (written `#…`). */
export interface Ava {
  /** The normal name of the attribute. */
  readonly attribute: string;
  readonly value: Value;
}

/** One component of a DN: one attribute and value, rarely several. */
export type Rdn = readonly Ava[];

/** The longest DN that is read, in characters (OpenLDAP's own limit). */
export const dnLimit = 8192;

/** Reads a DN, leaf first; no components for the root DSE (""). Throws an error with the fault and its position. */
export function parseDn(text: string, schema: Schema = standardSchema): readonly Rdn[] {
  if (text.length > dnLimit) {
    throw new Error(`${shown(text)} is not a DN: it has ${text.length} characters, the limit is ${dnLimit}`);
  }
  const rdns: Rdn[] = [];
  if (text.trim() === "") return rdns;
  for (let at = 0; at <= text.length; ) {
    const { rdn, end } = readRdn(text, at, schema);
    rdns.push(rdn);
    at = end + 1;
  }
  return rdns;
}

/**
 * The normal form of a DN. Two DNs have the same normal form exactly if LDAP takes them for equal, in any case,
 * spacing, escaping, alias and order. The form is itself a DN. A comma in it is always a separator: one in a value is
 * written `\2c`. Where the schema does not tell how an attribute is compared, case does not count: `exactDn` has the
 * other answer.
 */
export const normalDn = (text: string, schema: Schema = standardSchema): string => formOf(text, schema, normalValue);

/**
 * The normal form of a DN in which values are compared exactly where the schema does not tell their rule. Two DNs of one
 * normal form, but two exact ones, may be two names at a server.
 */
export const exactDn = (text: string, schema: Schema = standardSchema): string => formOf(text, schema, asItIs);

/** The normal form of a DN; undefined for a malformed one, which names no entry. */
export function readDn(text: string, schema: Schema = standardSchema): string | undefined {
  try {
    return normalDn(text, schema);
  } catch {
    return undefined;
  }
}

/** The parent of a normal DN: "" (the root DSE) for a suffix, undefined for the root DSE. */
export function parentOf(dn: string): string | undefined {
  if (dn === "") return undefined;
  const comma = dn.indexOf(",");
  return comma < 0 ? "" : dn.slice(comma + 1);
}

/** True if a normal DN is below another one, at any depth. No DN is below itself. */
export const isBelow = (dn: string, ancestor: string): boolean =>
  ancestor === "" ? dn !== "" : dn.endsWith(`,${ancestor}`);

/** The value of the leaf as written, unescaped. The first one of a leaf with several; "" for the root DSE. */
export function rdnValue(dn: string): string {
  if (dn.trim() === "") return "";
  const value = readRdn(dn, 0, standardSchema).rdn[0]?.value ?? "";
  return typeof value === "string" ? value : hexOf(value);
}

/**
 * The form of a DN by which a source without a schema tells entries apart. Two DNs of one form are one name at every
 * server. Two DNs of one normal form may be two.
 */
export const distinctDn = (dn: string): string => normalDn(dn, cautiousSchema);

/**
 * The identity of an entry whose source has no entryUUID: its distinct DN without a "/", which separates the parts of a
 * row's key.
 */
export const identityOfDn = (dn: string): string => distinctDn(dn).replaceAll("/", "\\2f");

/** The components of a DN as written, leaf first. */
export const rdnTexts = (dn: string): string[] => dn.match(/(?:[^\\,]|\\.)+/gs) ?? [];

/** The form of a value by a rule that the schema does not tell. */
type UnknownForm = (text: string) => string;

const asItIs: UnknownForm = (text) => text;

const formOf = (text: string, schema: Schema, unknown: UnknownForm): string =>
  plainForm(text, schema, unknown) ??
  parseDn(text, schema)
    .map((rdn) => rdnForm(rdn, schema, unknown))
    .join(",");

/** The form of a DN of printable ASCII with nothing escaped and one value per component (nearly all are); undefined for any other. */
function plainForm(text: string, schema: Schema, unknown: UnknownForm): string | undefined {
  if (text.length > dnLimit || !/^[ -~]+$/.test(text) || /["#+;<>\\]/.test(text)) return undefined;
  const rdns: string[] = [];
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    const type = part.slice(0, Math.max(0, equals)).trim();
    if (!/^[a-z][a-z0-9_-]*$/i.test(type)) return undefined;
    const attribute = schema.nameOf(type);
    rdns.push(`${attribute}=${valueForm(attribute, part.slice(equals + 1).trim(), schema, unknown)}`);
  }
  return rdns.join(",");
}

/** The form of a value within a DN. */
function valueForm(attribute: string, text: string, schema: Schema, unknown: UnknownForm): string {
  const equality = schema.equalityOf(attribute);
  if (equality === undefined) return unknown(text);
  return equality === "name" || equality === "nameAndBits" ? nameForm(equality, text, schema) : formBy(equality, text);
}

/** The form of a value that names an entry. A value that is no DN, which a server refuses, stays as it is. */
export function nameForm(equality: NameEquality, text: string, schema: Schema): string {
  const [bits = ""] = (equality === "nameAndBits" && /#'[01]*'B$/.exec(text)) || [];
  const dn = readDn(text.slice(0, text.length - bits.length), schema);
  return dn === undefined ? text : dn + bits;
}

function rdnForm(rdn: Rdn, schema: Schema, unknown: UnknownForm): string {
  const avas = rdn.map(({ attribute, value }) => {
    if (typeof value !== "string") return `${attribute}=${hexOf(value)}`;
    const form = valueForm(attribute, value, schema, unknown);
    return `${attribute}=${form.replace(/[\p{Cc}",+;<>\\]|^[ #]| $/gu, escaped)}`;
  });
  return [...new Set(avas)].sort().join("+");
}

const escaped = (character: string): string => Buffer.from(character).toString("hex").replace(/../g, "\\$&");

const hexOf = (bytes: Uint8Array): string => `#${Buffer.from(bytes).toString("hex")}`;

const typeAndEquals = / *((?:oid\.)?\d+(?:\.\d+)*|[a-z][a-z0-9_-]*) *= */iy;
const hexValue = /#((?:[0-9a-f]{2})+) */iy;
const textValue = /(?:[^\\",+;<>\0]|\\(?:[ "#+,;<=>\\]|[0-9a-f]{2}))*/iy;

/** Reads one component; `end` is the position of its comma, or the end of the text. */
function readRdn(text: string, from: number, schema: Schema): { rdn: Rdn; end: number } {
  const rdn: Ava[] = [];
  for (let at = from; ; at++) {
    const type = match(typeAndEquals, text, at);
    if (!type) throw wrong(text, 'expected an attribute and "="', at);
    at += type[0].length;
    const value = match(text[at] === "#" ? hexValue : textValue, text, at);
    if (!value) throw wrong(text, 'expected pairs of hexadecimal digits after "#"', at + 1);
    at += value[0].length;
    rdn.push({
      attribute: schema.nameOf((type[1] ?? "").replace(/^oid\./i, "")),
      value: value[1] === undefined ? unescaped(value[0]) : fromBer(Buffer.from(value[1], "hex")),
    });
    const next = text[at];
    if (next === undefined || next === ",") return { rdn, end: at };
    if (next === "\\") throw wrong(text, 'after "\\" expected a special character or two hexadecimal digits', at);
    if (next !== "+") throw wrong(text, `${JSON.stringify(next)} must be written with a "\\" before it`, at);
  }
}

/** The tags whose content is the text: OCTET STRING, UTF8String, NumericString, PrintableString, IA5String, VisibleString. */
const textTags = new Set([octetString, 0x0c, 0x12, 0x13, 0x16, 0x1a]);

/** The text of an encoded string; any other value stays encoded. */
function fromBer(bytes: Buffer): Value {
  const tag = bytes[0] ?? 0;
  if (!textTags.has(tag)) return new Uint8Array(bytes);
  try {
    const reader = new BerReader(bytes);
    const content = reader.bytes(tag, "a value");
    if (!reader.more && isUtf8(content)) return content.toString();
  } catch {
    // not a single element: it stays encoded
  }
  return new Uint8Array(bytes);
}

function match(sticky: RegExp, text: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at;
  return sticky.exec(text);
}

function unescaped(written: string): Value {
  const trimmed = written.slice(0, endWithout(written, " "));
  if (!trimmed.includes("\\")) return trimmed;
  // A space at the end stays if it is escaped, that is, behind an odd number of backslashes.
  const backslashes = trimmed.length - endWithout(trimmed, "\\");
  const text = backslashes % 2 === 1 ? `${trimmed} ` : trimmed;
  const pieces = [...text.matchAll(/[^\\]+|\\([0-9a-f]{2})|\\(.)/gi)].map(([piece, hex, special]) =>
    hex === undefined ? Buffer.from(special ?? piece) : Buffer.from(hex, "hex"),
  );
  const bytes = Buffer.concat(pieces);
  return isUtf8(bytes) ? bytes.toString() : encoded(octetString, bytes);
}

/** The length of a text without all the trailing copies of a character. */
function endWithout(text: string, character: string): number {
  let end = text.length;
  while (text[end - 1] === character) end--;
  return end;
}

const shown = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);

const wrong = (text: string, what: string, at: number): Error =>
  new Error(`${shown(text)} is not a DN: ${what} at character ${at + 1}`);
