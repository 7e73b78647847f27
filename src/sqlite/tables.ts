import { DatabaseSync } from "node:sqlite";
import { transaction } from "./open.ts";
import { Unusable } from "./sound.ts";

/**
 * Makes what is not there yet of the tables, indexes and triggers that `create` makes; in one transaction.
 * What is there must have the same text: damage that leaves SQL, as in a condition or a default, is not seen by SQLite.
 * A table that has another is `Unusable`; an index or a trigger is made anew, since it holds nothing of its own.
 */
export function createTables(database: DatabaseSync, create: (database: DatabaseSync) => void): void {
  const right = new Map(rightTexts(create));
  transaction(database, () => {
    for (const [name, { type, text }] of textsOf(database)) {
      const wanted = right.get(name);
      if (wanted?.text === text) continue;
      if (type === "table" && wanted) throw new Unusable(`its table ${name} is another one than trigger makes`);
      if (type === "index" || type === "trigger") database.exec(`DROP ${type} "${name.replaceAll('"', '""')}"`);
    }
    create(database);
  });
}

function rightTexts(create: (database: DatabaseSync) => void): ReturnType<typeof textsOf> {
  using database = new DatabaseSync(":memory:");
  create(database);
  return textsOf(database);
}

/** What has a text: SQLite's own indexes have none. */
const textsOf = (database: DatabaseSync): [name: string, { readonly type: string; readonly text: string }][] =>
  database
    .prepare("SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL")
    .all()
    .map(({ type, name, sql }) => [String(name), { type: String(type), text: String(sql) }]);
