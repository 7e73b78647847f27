import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { copyBefore } from "./copy-before.ts";
import { Unusable } from "./integrity.ts";
import { transaction } from "./open.ts";

/**
 * The tables, indexes and triggers of a database file, as numbered migrations. The version of a file is the number of
 * its last migration. A released migration never changes: the text of each statement is compared with the file's.
 */
export interface Schema {
  /** The SQL of each migration. The first one makes version 1 of an empty file, each other one the next version. */
  readonly migrations: readonly string[];
}

/** Reads the migrations of a folder: `000001.sql`, `000002.sql`, … */
export function readSchema(folder: URL): Schema {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort();
  const wrong = names.find((name, index) => name !== `${String(index + 1).padStart(6, "0")}.sql`);
  if (wrong !== undefined) throw new Error(`${wrong}: migrations are numbered from 000001.sql on, without a gap`);
  return { migrations: names.map((name) => readFileSync(new URL(name, folder), "utf8")) };
}

/** Thrown for an intact file whose tables are of another version than this program's. */
export class OtherVersion extends Error {
  override name = "OtherVersion";
  readonly code = "ERR_OTHER_VERSION";
}

/** Thrown for a file that a newer program has migrated. */
export class NewerDatabase extends OtherVersion {
  constructor(file: string, written: Version, known: Version) {
    super(
      `${file} was written by trigger ${written.program}, whose tables have version ${written.number}; those of this program, ` +
        `${known.program}, have version ${known.number}: install ${written.program} or newer, or restore the copy from before with \`trigger downgrade\``,
    );
  }
}

/** The version of a file, and the version of the program that made it. */
export interface Version {
  readonly number: number;
  readonly program: string;
}

/**
 * The migrations of a file, in the file itself. This table is the same in every version, so that each program can read
 * the version of a newer file.
 */
const history = "CREATE TABLE migration (number INTEGER PRIMARY KEY, program TEXT NOT NULL) STRICT";

/**
 * Brings a database to the newest version in one transaction, and returns its earlier version; 0 for an empty one. A
 * file with content is first copied beside itself, while no other process can write to it or migrate it. Throws
 * `NewerDatabase`, or `Unusable` for content that no program wrote. It must be called outside of a transaction.
 * `program` is the version of this program.
 */
export function migrate(database: DatabaseSync, schema: Schema, program: string): number {
  const newest = schema.migrations.length;
  return transaction(database, () => {
    const found = versionOf(database);
    const before = found.number;
    if (before > newest) {
      throw new NewerDatabase(database.location() ?? "a database", found, { number: newest, program });
    }
    if (before === 0) database.exec(history);
    else check(database, schema, found);
    if (before > 0 && before < newest) copyBefore(database, before);
    for (let number = before + 1; number <= newest; number++) {
      database.exec(schema.migrations[number - 1] ?? "");
      note(database, number, program);
    }
    return before;
  });
}

function note(database: DatabaseSync, number: number, program: string): void {
  database.prepare("INSERT INTO migration (number, program) VALUES (?, ?)").run(number, program);
  database.exec(`PRAGMA user_version = ${number}`);
}

/**
 * Throws unless a database that is only read has the newest version. An older one is migrated when its process starts.
 */
export function mustBeCurrent(database: DatabaseSync, schema: Schema, program: string): void {
  const found = versionOf(database);
  const newest = schema.migrations.length;
  const file = database.location() ?? "a database";
  if (found.number > newest) throw new NewerDatabase(file, found, { number: newest, program });
  if (found.number < newest) throw new OlderDatabase(file, found, { number: newest, program });
}

/** Thrown for a file that this program could read after a restart of the file's process. */
class OlderDatabase extends OtherVersion {
  constructor(file: string, written: Version, known: Version) {
    super(
      `${file} was written by trigger ${written.program}, with tables of version ${written.number}; those of this program, ` +
        `${known.program}, have version ${known.number}: restart its process with this program, which migrates it when it starts`,
    );
  }
}

interface Found extends Version {
  /** True for a file without a number, from before there were any; it has the tables of version 1. */
  readonly isUnnumbered?: true;
}

/**
 * The version of a database; number 0 for an empty one. It is read at one moment, since another process may migrate it
 * meanwhile.
 */
export function versionOf(database: DatabaseSync): Found {
  if (database.isTransaction) return readVersion(database);
  database.exec("BEGIN");
  try {
    return readVersion(database);
  } finally {
    database.exec("COMMIT");
  }
}

function readVersion(database: DatabaseSync): Found {
  const marked = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  const names = new Set(
    database
      .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
      .all()
      .map(({ name }) => name),
  );
  if (names.size === 0) return { number: 0, program: "" };
  if (!names.has("migration")) {
    if (marked > 1) throw new Unusable(`its version is ${marked}, but its list of migrations is missing`);
    return { number: 1, program: unnumbered, isUnnumbered: true };
  }
  const last = database.prepare("SELECT number, program FROM main.migration ORDER BY number DESC LIMIT 1").get();
  if (last?.number !== marked)
    throw new Unusable(`its version is ${marked}, but its last migration is ${last?.number}`);
  return { number: marked, program: String(last.program) };
}

/** The program version of files without numbers. */
const unnumbered = "0.1.0";

/**
 * Compares the texts of a database with those of its version. SQLite does not notice damage that leaves valid SQL, as
 * in a condition or a default. A table with another text is `Unusable`. An index or a trigger is recreated, since it
 * holds no data of its own.
 */
function check(database: DatabaseSync, schema: Schema, { number, program, isUnnumbered }: Found): void {
  const right = rightTexts(schema, number);
  const drop = (name: string, type: string): void => database.exec(`DROP ${type} "${name.replaceAll('"', '""')}"`);
  for (const [name, { type, text }] of textsOf(database)) {
    const wanted = right.get(name);
    if (wanted?.text === text) continue;
    if (type === "table" && wanted) throw new Unusable(`its table ${name} differs from the one that trigger makes`);
    if (type === "index" || type === "trigger") drop(name, type);
  }
  const there = textsOf(database);
  for (const [name, { type, text }] of right) {
    if (there.has(name)) continue;
    if (type === "table" && !isUnnumbered) throw new Unusable(`its table ${name} is missing`);
    database.exec(text);
  }
  if (isUnnumbered) note(database, number, program);
}

type Texts = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

/** The texts of each version of a schema, computed once. */
const known = new WeakMap<Schema, Map<number, Texts>>();

function rightTexts(schema: Schema, number: number): Texts {
  const versions = known.get(schema) ?? new Map<number, Texts>();
  known.set(schema, versions);
  const computed = versions.get(number);
  if (computed) return computed;
  using database = new DatabaseSync(":memory:");
  for (const sql of [history, ...schema.migrations.slice(0, number)]) database.exec(sql);
  const texts = textsOf(database);
  versions.set(number, texts);
  return texts;
}

/** The statements that made a database, by the names of the created objects. SQLite's own indexes have none. */
const textsOf = (database: DatabaseSync): Texts =>
  new Map(
    database
      .prepare("SELECT type, name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
      .all()
      .map(({ type, name, sql }) => [String(name), { type: String(type), text: String(sql) }]),
  );
