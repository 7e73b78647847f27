import { readFileSync } from "node:fs";
import type { StoredEntry } from "../core/directory/entry.ts";
import { readContent } from "../directories/ldif/content.ts";

/** Reads the entries of an LDIF file. */
export const ldifEntries = (file: string | URL): StoredEntry[] => readContent(readFileSync(file), String(file));
