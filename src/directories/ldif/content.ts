import { identityOfDn, normalDn } from "../../core/dn.ts";
import type { Attributes, StoredEntry } from "../../core/entry.ts";
import { UserError } from "../../core/outcome.ts";
import { wrongAt } from "./lines.ts";
import type { LdifRecord } from "./record.ts";
import { recordsOf } from "./records.ts";

/**
 * Reads a file of entries. A change record, a second entry of one name or of one entryUUID, and a file without any entry
 * (more likely cut off than meant) are a `UserError`, as is whatever is no LDIF.
 */
export function readContent(bytes: Uint8Array, file: string): StoredEntry[] {
  const entries: StoredEntry[] = [];
  const lines = new Map<string, number>();
  for (const record of recordsOf(bytes, file)) {
    if (record.kind !== "content") throw changeRecord(record, file);
    const dn = normalDn(record.dn);
    const uuid = uuidOf(dn, record.attributes);
    for (const [key, what] of [
      [`dn ${dn}`, `the entry "${record.dn}"`],
      [uuid, `the entryUUID ${uuid}`],
    ] as const) {
      const other = lines.get(key);
      if (other !== undefined) throw wrongAt(file, record.line, `${what} is there already, at line ${other}`);
      lines.set(key, record.line);
    }
    entries.push({ uuid, dn: record.dn, attributes: record.attributes });
  }
  if (entries.length === 0) throw new UserError(`${file}: expected at least one entry, found none`);
  return entries;
}

/** What an entry is known by: its entryUUID, or its normal DN where there is none. */
export function uuidOf(dn: string, attributes: Attributes): string {
  const uuid = attributes.get("entryuuid")?.[0];
  if (typeof uuid === "string" && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid))
    return uuid.toLowerCase();
  return identityOfDn(dn);
}

const changeRecord = ({ dn, line }: LdifRecord, file: string): UserError =>
  wrongAt(
    file,
    line,
    `"${dn}" is a change record, and entries are expected here; use \`trigger plan\` to see what it would do, or apply it to the directory`,
  );
