import { type Field, fieldReader } from "./field.ts";
import { type Line, linesOf, wrongAt } from "./lines.ts";
import { recordOf } from "./read-record.ts";
import type { LdifRecord } from "./record.ts";

/** The records of an LDIF file (RFC 2849). */

/** Reads content and change records. The first mistake is a `UserError` that names the file and the line. */
export const readRecords = (bytes: Uint8Array, file: string): LdifRecord[] => [...recordsOf(bytes, file)];

/**
 * Reads the records one by one. The text is a whole file, or a part that begins on a line. `begun` is true for a part
 * after the first record: it may have no version line.
 */
export function* recordsOf(
  bytes: Uint8Array,
  file: string,
  { firstLine = 1, begun = false } = {},
): Generator<LdifRecord> {
  const read = fieldReader(file);
  let fields: Field[] = [];
  for (const line of linesOf(bytes, file, firstLine)) {
    if (line.text === "") {
      if (fields.length > 0) yield recordOf(fields, file);
      fields = [];
    } else if (begun || !isVersion(line, file)) {
      fields.push(read(line));
    }
    begun ||= line.text !== "";
  }
  if (fields.length > 0) yield recordOf(fields, file);
}

/** True for the version line of LDIF, which only the first line may be. */
function isVersion({ text, number }: Line, file: string): boolean {
  const version = /^version:(.*)$/i.exec(text)?.[1]?.trim();
  if (version === undefined) return false;
  if (version !== "1") throw wrongAt(file, number, "expected version 1 of LDIF, the only one there is");
  return true;
}
