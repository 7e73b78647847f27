import { isUtf8 } from "node:buffer";
import { attributeName, isAttribute, isBinary } from "../../core/directory/attributes.ts";
import { normalDn } from "../../core/directory/dn.ts";
import type { Value } from "../../core/directory/entry.ts";
import { reason } from "../../core/util/errors.ts";
import { type Line, wrongAt } from "./lines.ts";

/** A line `name: value`, or the line `-` that ends a modification. */
export interface Field {
  /** The normal name of the attribute, the word of LDIF, or `-`. */
  readonly name: string;
  readonly value: Value;
  readonly line: number;
}

/**
 * Reads the fields of one file. Errors show only the name before the colon, as the rest of a line may be a password.
 */
export function fieldReader(file: string): (line: Line) => Field {
  const names = new Map<string, string>(); // a file has few names of attributes, each many times

  const nameOf = (written: string, line: number): string => {
    const known = names.get(written);
    if (known !== undefined) return known;
    if (!isAttribute(written)) {
      const shown = JSON.stringify(written.length > 24 ? `${written.slice(0, 24)}…` : written);
      throw wrongAt(file, line, `expected the name of an attribute before the colon, found ${shown}`);
    }
    const name = attributeName(written);
    names.set(written, name);
    return name;
  };

  return ({ number, text }) => {
    if (text === "-") return { name: "-", value: "", line: number };
    const colon = text.indexOf(":");
    if (colon < 0) {
      throw wrongAt(file, number, `expected "name: value", found ${text.length} characters without a colon`);
    }
    const name = nameOf(text.slice(0, colon), number);
    const sign = text[colon + 1];
    if (sign === "<") {
      throw wrongAt(file, number, `${name} is to be read from a URL; trigger reads nothing but this file`);
    }
    let from = sign === ":" ? colon + 2 : colon + 1;
    while (text[from] === " ") from++;
    const written = text.slice(from);
    if (sign !== ":")
      return { name, value: isBinary(name) ? new Uint8Array(Buffer.from(written)) : written, line: number };
    const bytes = fromBase64(written);
    if (!bytes) throw wrongAt(file, number, `expected base64 after "${name}::"`);
    const isText = !isBinary(name) && isUtf8(bytes);
    return { name, value: isText ? bytes.toString() : new Uint8Array(bytes), line: number };
  };
}

/** The value as a DN, as written. */
export function dnOf(field: Field, file: string): string {
  const dn = textOf(field, file);
  try {
    normalDn(dn);
  } catch (error) {
    throw wrongAt(file, field.line, reason(error));
  }
  return dn;
}

/** The value as text. */
export function textOf({ name, value, line }: Field, file: string): string {
  if (typeof value !== "string") throw wrongAt(file, line, `${name}: expected text, found ${value.length} other bytes`);
  return value;
}

function fromBase64(written: string): Buffer | undefined {
  const text = written.trimEnd();
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined; // Buffer skips characters that are not base64
}
