import type { StoredEntry, Value } from "../../core/directory/entry.ts";

/** Writes entries as LDIF (RFC 2849), with unsafe values in base64. Lines are not folded. */
export const writeLdif = (entries: Iterable<StoredEntry>): string =>
  `version: 1\n${Array.from(entries, entryText).join("")}`;

function entryText({ dn, attributes }: StoredEntry): string {
  const lines = [...attributes].flatMap(([name, values]) => values.map((value) => line(name, value)));
  return `\n${line("dn", dn)}${lines.join("")}`;
}

function line(name: string, value: Value): string {
  if (value === "") return `${name}:\n`;
  if (typeof value === "string" && isSafe(value)) return `${name}: ${value}\n`;
  return `${name}:: ${Buffer.from(value as string).toString("base64")}\n`;
}

/** True for a SAFE-STRING of RFC 2849 without a space at its end. */
const isSafe = (text: string): boolean => /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/.test(text) && !/^[ :<]| $/.test(text);
