import type { DatabaseSync, StatementSync } from "node:sqlite";

/** The statements of each opened database, by their text. */
const known = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** A statement of a database. It is prepared once for as long as the database is open. */
export function prepared(database: DatabaseSync, text: string): StatementSync {
  let statements = known.get(database);
  if (!statements) {
    statements = new Map();
    known.set(database, statements);
  }
  let statement = statements.get(text);
  if (!statement) {
    statement = database.prepare(text);
    statements.set(text, statement);
  }
  return statement;
}
