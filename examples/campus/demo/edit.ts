import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { attributeName } from "../../../src/core/directory/attributes.ts";
import type { StoredEntry } from "../../../src/core/directory/entry.ts";
import { applyRecords } from "../../../src/directories/ldif/apply.ts";
import { readContent } from "../../../src/directories/ldif/content.ts";
import { readRecords } from "../../../src/directories/ldif/records.ts";
import { writeLdif } from "../../../src/directories/ldif/write.ts";

/**
 * Applies LDIF change records to an LDIF file and replaces it whole. Gives the time of that, milliseconds since 1970.
 */
export function edit(file: string, changes: string): number {
  const text = readFileSync(file, "utf8");
  const records = readRecords(Buffer.from(changes), "the change");
  const entries = applyRecords(readContent(Buffer.from(text), file), records, "the change");
  writeFileSync(`${file}.new`, writeLdif(spelt(entries, `${text}\n${changes}`)));
  renameSync(`${file}.new`, file);
  return Date.now();
}

/** The entries with the names of their attributes as they are spelt in a text: trigger knows them in lower case. */
function* spelt(entries: Iterable<StoredEntry>, text: string): Generator<StoredEntry> {
  const names = new Map([...text.matchAll(/^([\w;-]+):/gm)].map(([, name = ""]) => [attributeName(name), name]));
  for (const entry of entries) {
    const attributes = [...entry.attributes].map(([name, values]) => [names.get(name) ?? name, values] as const);
    yield { ...entry, attributes: new Map(attributes) };
  }
}
