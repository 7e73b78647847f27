import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Unusable } from "./sound.ts";
import { createTables } from "./tables.ts";

const create = (database: DatabaseSync): void =>
  database.exec(`
    CREATE TABLE IF NOT EXISTS fruit (name TEXT PRIMARY KEY, ripe INTEGER NOT NULL DEFAULT 0 CHECK (ripe < 2)) STRICT;
    CREATE INDEX IF NOT EXISTS fruit_ripe ON fruit (ripe) WHERE ripe = 1;
    CREATE TABLE IF NOT EXISTS eaten (name TEXT) STRICT;
    CREATE TRIGGER IF NOT EXISTS fruit_gone AFTER DELETE ON fruit BEGIN INSERT INTO eaten VALUES (old.name); END;
  `);

/** A database that was made, and whose own texts were then damaged as a disk does it. */
function damaged(name: string, from: string, to: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  createTables(database, create);
  database.exec("INSERT INTO fruit VALUES ('apple', 1)");
  database.enableDefensive(false);
  database.exec("PRAGMA writable_schema = ON");
  const { changes } = database
    .prepare("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?")
    .run(from, to, name);
  assert.equal(changes, 1);
  database.exec("PRAGMA writable_schema = RESET");
  return database;
}

const ripeOf = (database: DatabaseSync) => database.prepare("SELECT name FROM fruit WHERE ripe = 1").all();

test("a trigger or an index of another text is made anew, what the tables hold stays", () => {
  for (const [name, from, to] of [
    ["fruit_gone", "old.name", "A.name"],
    ["fruit_gone", "old.name", "'pear'"],
    ["fruit_ripe", "ripe = 1", "ripe = 7"],
  ] as const) {
    using database = damaged(name, from, to);
    createTables(database, create);
    assert.deepEqual(
      ripeOf(database).map(({ name }) => name),
      ["apple"],
    );
    database.exec("DELETE FROM fruit");
    assert.equal(database.prepare("SELECT name FROM eaten").get()?.name, "apple");
  }
});

test("a table of another text is damaged, one that is not known is left alone", () => {
  using changed = damaged("fruit", "DEFAULT 0", "DEFAULT 1");
  assert.throws(() => createTables(changed, create), new Unusable("its table fruit is another one than trigger makes"));
  using more = new DatabaseSync(":memory:");
  more.exec("CREATE TABLE theirs (a)");
  createTables(more, create);
  createTables(more, create);
  assert.ok(more.prepare("SELECT * FROM theirs").all());
});
