import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { DatabaseSync as Database } from "node:sqlite";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { copiesBefore, putBack } from "./copy-before.ts";
import { isBroken, Unusable } from "./integrity.ts";
import { migrate, mustBeCurrent, NewerDatabase, readSchema, versionOf } from "./migrate.ts";
import { openDatabase } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "trigger-migrate-"));
test.after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}`, "fruit.db");

const one = {
  migrations: [
    `CREATE TABLE fruit (name TEXT PRIMARY KEY, ripe INTEGER NOT NULL DEFAULT 0 CHECK (ripe < 2)) STRICT;
     CREATE INDEX fruit_ripe ON fruit (ripe) WHERE ripe = 1;
     CREATE TABLE eaten (name TEXT) STRICT;
     CREATE TRIGGER fruit_gone AFTER DELETE ON fruit BEGIN INSERT INTO eaten VALUES (old.name); END;`,
  ],
};
const two = {
  migrations: [...one.migrations, "ALTER TABLE fruit ADD COLUMN colour TEXT; UPDATE fruit SET colour = 'red'"],
};
const three = { migrations: [...two.migrations, "DROP TABLE eaten; DROP TRIGGER fruit_gone"] };

/** Opens a file and migrates it to a schema, as the program of that version does. */
function opened(file: string, schema = one, program = "1.0.0"): DatabaseSync {
  const database = openDatabase(file);
  migrate(database, schema, program);
  return database;
}

const namesIn = (database: DatabaseSync, where = "true"): unknown[] =>
  database
    .prepare(`SELECT name FROM fruit WHERE ${where} ORDER BY name`)
    .all()
    .map(({ name }) => name);

/** A file of version 1 with an apple in it. */
function withApple(): string {
  const file = newFile();
  using database = opened(file);
  database.exec("INSERT INTO fruit VALUES ('apple', 1)");
  return file;
}

test("a new file gets every migration, and a second opening changes nothing", () => {
  const file = newFile();
  using database = opened(file, three);
  assert.equal(migrate(database, three, "9.0.0"), 3);
  assert.deepEqual(
    database
      .prepare("SELECT number, program FROM migration")
      .all()
      .map((row) => ({ ...row })),
    [1, 2, 3].map((number) => ({ number, program: "1.0.0" })),
  );
  assert.deepEqual(copiesBefore(file), []);
});

test("an older file keeps its rows, with a private copy beside it", () => {
  const file = withApple();
  using database = openDatabase(file);
  assert.equal(migrate(database, two, "2.0.0"), 1);
  assert.deepEqual(namesIn(database, "colour = 'red'"), ["apple"]);
  const [copy, ...more] = copiesBefore(file);
  assert.ok(copy);
  assert.deepEqual([copy.version, more], [1, []]);
  assert.equal(statSync(copy.file).mode & 0o777, 0o600);
  using before = opened(copy.file);
  assert.deepEqual(namesIn(before), ["apple"]);
});

test("one copy is kept, that of the last migration", () => {
  const file = withApple();
  opened(file, two).close();
  opened(file, three).close();
  assert.deepEqual(
    copiesBefore(file).map(({ version }) => version),
    [2],
  );
  assert.deepEqual(readdirSync(join(file, "..")).sort(), ["fruit.db", "fruit.db.version-2"]);
});

test("a newer file is refused by its program's name, and is no damage", () => {
  const file = withApple();
  opened(file, three, "3.1.4").close();
  using database = openDatabase(file);
  assert.throws(
    () => migrate(database, two, "2.0.0"),
    (error: Error) => {
      assert.ok(error instanceof NewerDatabase);
      assert.match(
        error.message,
        /fruit\.db was written by trigger 3\.1\.4, .* version 3; .*2\.0\.0, have version 2: install 3\.1\.4 or newer, .*`trigger downgrade`/,
      );
      return !isBroken(error, file);
    },
  );
  assert.equal(migrate(database, three, "3.1.4"), 3);
});

test("a migration that fails leaves the file as it was", () => {
  const file = withApple();
  const failing = { migrations: [...one.migrations, "DROP TABLE eaten; INSERT INTO nowhere VALUES (1)"] };
  using database = openDatabase(file);
  assert.throws(() => migrate(database, failing, "2.0.0"), /nowhere/);
  assert.equal(migrate(database, one, "1.0.0"), 1);
  assert.deepEqual(namesIn(database), ["apple"]);
});

test("a copy is put back, and the newer file stays beside it", () => {
  const file = withApple();
  const newer = opened(file, two, "2.0.0");
  newer.exec("INSERT INTO fruit VALUES ('pear', 1, 'green')");
  const [copy] = copiesBefore(file);
  assert.ok(copy);
  assert.throws(() => putBack([{ file, copy, found: 2 }]), /fruit\.db is in use by a process: stop it first/);
  newer.close();
  const [aside = ""] = putBack([{ file, copy, found: 2 }]);
  using back = opened(file);
  assert.deepEqual(namesIn(back), ["apple"]);
  using kept = openDatabase(aside);
  assert.deepEqual(namesIn(kept), ["apple", "pear"]);
  assert.deepEqual(copiesBefore(file), []);
});

test("a killed run's remains of its copy are replaced", () => {
  const file = withApple();
  const draft = `${file}.version-1.new`;
  writeFileSync(draft, "cut short");
  opened(file, two).close();
  assert.equal(existsSync(draft), false);
  using before = opened(`${file}.version-1`);
  assert.deepEqual(namesIn(before), ["apple"]);
});

test("a copy that cannot be made keeps the file as it is", () => {
  const file = withApple();
  mkdirSync(`${file}.version-1`);
  using database = openDatabase(file);
  assert.throws(() => migrate(database, two, "2.0.0"), { code: "EISDIR" });
  assert.equal(existsSync(`${file}.version-1.new`), false, "a full disk is not made fuller");
  assert.equal(migrate(database, one, "1.0.0"), 1);
});

/** Calls a function once, just before a connection sends a statement to its database. */
function before(database: DatabaseSync, what: RegExp, work: () => void): void {
  let isDone = false;
  for (const verb of ["exec", "prepare"] as const) {
    const say = database[verb].bind(database) as (sql: string) => never;
    const meet = (sql: string): never => {
      const isNow = !isDone && what.test(sql);
      isDone ||= isNow;
      if (isNow) work();
      return say(sql);
    };
    Object.assign(database, { [verb]: meet });
  }
}

test("a file that another process migrates while its version is read is no damage", () => {
  const file = withApple();
  using database = openDatabase(file);
  before(database, /sqlite_schema/, () => opened(file, two).close());
  assert.equal(versionOf(database).number, 1);
  assert.equal(versionOf(database).number, 2);
});

test("of two processes that migrate a file at once, one makes the copy", () => {
  const file = withApple();
  using database = openDatabase(file);
  before(database, /BEGIN IMMEDIATE/, () => opened(file, two).close());
  assert.equal(migrate(database, two, "2.0.0"), 2);
  using copy = openDatabase(`${file}.version-1`, { readOnly: true });
  assert.equal(versionOf(copy).number, 1);
});

test("a file without a number is one of version 1", () => {
  const file = newFile();
  const before = openDatabase(file);
  before.exec(one.migrations[0] ?? "");
  before.exec("INSERT INTO fruit VALUES ('apple', 1); DROP TABLE eaten");
  before.close();
  using database = openDatabase(file);
  assert.equal(migrate(database, two, "2.0.0"), 1);
  assert.deepEqual(namesIn(database, "colour = 'red'"), ["apple"]);
  assert.deepEqual(
    database
      .prepare("SELECT number, program FROM migration")
      .all()
      .map((row) => ({ ...row })),
    [
      { number: 1, program: "0.1.0" },
      { number: 2, program: "2.0.0" },
    ],
  );
  assert.deepEqual(database.prepare("SELECT * FROM eaten").all(), []);
});

/** Damages the texts of a file as a faulty disk does. */
function damage(database: DatabaseSync, name: string, from: string, to: string): void {
  database.enableDefensive(false);
  database.exec("PRAGMA writable_schema = ON");
  const change = database.prepare("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?");
  assert.equal(change.run(from, to, name).changes, 1);
  database.exec("PRAGMA writable_schema = RESET");
}

test("an index or trigger of another text is recreated, tables keep their rows", () => {
  for (const [name, from, to] of [
    ["fruit_gone", "old.name", "A.name"],
    ["fruit_gone", "old.name", "'pear'"],
    ["fruit_ripe", "ripe = 1", "ripe = 7"],
  ] as const) {
    using database = opened(withApple());
    damage(database, name, from, to);
    migrate(database, one, "1.0.0");
    assert.deepEqual(namesIn(database, "ripe = 1"), ["apple"]);
    database.exec("DELETE FROM fruit");
    assert.equal(database.prepare("SELECT name FROM eaten").get()?.name, "apple");
  }
});

test("a table of another text at its version is damage, also before migrations", () => {
  for (const schema of [one, two]) {
    const file = withApple();
    using database = openDatabase(file);
    damage(database, "fruit", "DEFAULT 0", "DEFAULT 1");
    assert.throws(
      () => migrate(database, schema, "1.0.0"),
      new Unusable("its table fruit differs from the one that trigger makes"),
    );
    assert.deepEqual(copiesBefore(file), [], "the last good copy is not replaced by a damaged file");
  }
});

test("a table that is missing, or a number without its migration, is damage", () => {
  using missing = opened(newFile());
  missing.exec("DROP TABLE eaten");
  assert.throws(() => migrate(missing, one, "1.0.0"), new Unusable("its table eaten is missing"));
  for (const number of [0, 7]) {
    using marked = opened(newFile());
    marked.exec(`PRAGMA user_version = ${number}`);
    assert.throws(
      () => migrate(marked, one, "1.0.0"),
      new Unusable(`its version is ${number}, but its last migration is 1`),
    );
  }
  using listless = opened(newFile());
  listless.exec("DROP TABLE migration; PRAGMA user_version = 7");
  assert.throws(() => migrate(listless, one, "1.0.0"), /its version is 7, but its list of migrations is missing/);
});

test("foreign tables stay", () => {
  using database = new Database(":memory:");
  migrate(database, one, "1.0.0");
  database.exec("CREATE TABLE theirs (a)");
  migrate(database, two, "1.0.0");
  assert.ok(database.prepare("SELECT * FROM theirs").all());
});

test("a reader learns whether the file is older or newer", () => {
  const file = withApple();
  using database = openDatabase(file, { readOnly: true });
  mustBeCurrent(database, one, "1.0.0");
  assert.throws(
    () => mustBeCurrent(database, two, "2.0.0"),
    /fruit\.db was written by trigger 1\.0\.0, .* version 1; .*, 2\.0\.0, have version 2: restart .* which migrates it when it starts/,
  );
  opened(file, three, "3.0.0").close();
  assert.throws(() => mustBeCurrent(database, two, "2.0.0"), NewerDatabase);
});

test("migrations are numbered without a gap", () => {
  const migrations = mkdtempSync(join(folder, "sql-"));
  writeFileSync(join(migrations, "000001.sql"), "SELECT 1;");
  assert.deepEqual(readSchema(pathToFileURL(`${migrations}/`)).migrations, ["SELECT 1;"]);
  writeFileSync(join(migrations, "000003.sql"), "SELECT 3;");
  assert.throws(() => readSchema(pathToFileURL(`${migrations}/`)), /000003\.sql: migrations are numbered/);
});
