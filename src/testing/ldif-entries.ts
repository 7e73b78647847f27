import { readFileSync } from "node:fs";
import type { StoredEntry } from "../core/directory/entry.ts";
import { readContent } from "../directories/ldif/content.ts";

/**
 * Reads the entries of the LDIF `file`, a path or a URL of the scheme `file:`.
 *
 * @throws `UserError` for a fault of LDIF, a change record, an entry that stands twice, or no entry.
 */
export function ldifEntries(file: string | URL): StoredEntry[] {
  return readContent(readFileSync(file), String(file));
}
