import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readDoors } from "./api/model.ts";
import { apiPage, pageFile } from "./api/page.ts";
import { tablesFile, withTables } from "./api/tables.ts";

// Writes the reference of the front doors, and the tables of it on another page: `npm run docs`. test/api.test.ts compares them.
const root = join(import.meta.dirname, "..");
const doors = readDoors();
mkdirSync(join(root, "docs/api"), { recursive: true });
for (const door of doors) writeFileSync(join(root, pageFile(door)), apiPage(door));
const [trigger] = doors;
const page = join(root, tablesFile);
if (trigger) writeFileSync(page, withTables(readFileSync(page, "utf8"), trigger));
