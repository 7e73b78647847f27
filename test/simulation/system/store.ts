import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { createAllTables } from "../../../src/host/store/schema.ts";
import { Dead, type Life } from "./life.ts";

/** A host's store: committed changes survive the process, others do not. */
export interface Store {
  /** The database itself, for the judge. */
  readonly raw: DatabaseSync;
  /** The database as one process opens it; `committed` is called after each transaction. */
  openedBy(life: Life, committed: () => void): DatabaseSync;
  /** Does SQLite's part for a process that died. */
  abandon(): void;
  /** True if the store is empty or restored in place of another, whose records in a shared daemon are then foreign. */
  readonly lost: boolean;
  /** The number of next writes that find the disk full. */
  full: number;
  /** Saves the whole content, for `restore`. */
  backUp(): void;
  /** Restores the backup; false if there is none. */
  restore(): boolean;
  /** Replaces the store by an empty one. */
  wipe(): void;
  /** Closes the store at the end of the schedule. */
  close(): void;
}

type Row = Record<string, SQLInputValue>;

/**
 * The defect of a store. `schema` is executed on it and on each replacement; `reads` gives the row that processes read
 * in place of another.
 */
export interface StoreBreak {
  readonly schema?: string;
  readonly reads?: (sql: string, row: Record<string, SQLOutputValue> | undefined) => typeof row;
}

/** Opens an empty store. */
export function openStore({ schema = "", reads = (_, row) => row }: StoreBreak = {}): Store {
  const used: DatabaseSync[] = [];
  const open = (): DatabaseSync => {
    const made = emptyDatabase(schema);
    used.push(made);
    return made;
  };
  let raw = open();
  let lost = false;
  let backup: Map<string, Row[]> | undefined;

  const store: Store = {
    get raw() {
      return raw;
    },
    get lost() {
      return lost;
    },
    full: 0,
    openedBy(life, committed) {
      const mine = raw;
      const alive = (): void => {
        if (life.dead) throw new Dead("the process is dead");
      };
      const write = (what: string): void => {
        life.step(what);
        if (store.full <= 0) return;
        store.full -= 1;
        throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
      };
      const opened = {
        get isTransaction() {
          return !life.dead && mine.isTransaction;
        },
        prepare(sql: string) {
          const statement = mine.prepare(sql);
          const isRead = /^\s*SELECT\b/.test(sql);
          return {
            get(...values: SQLInputValue[]) {
              alive();
              if (!isRead && !mine.isTransaction) write("store");
              return reads(sql, statement.get(...values));
            },
            all(...values: SQLInputValue[]) {
              alive();
              return statement.all(...values);
            },
            run(...values: SQLInputValue[]) {
              alive();
              if (!mine.isTransaction) write("store");
              return statement.run(...values);
            },
          };
        },
        exec(sql: string) {
          if (sql === "COMMIT") write("commit");
          if (life.dead) return;
          mine.prepare(sql).run();
          if (sql === "COMMIT") committed();
        },
      };
      return opened as unknown as DatabaseSync;
    },
    abandon() {
      if (raw.isTransaction) raw.exec("ROLLBACK");
    },
    backUp() {
      backup = new Map(
        [...columnsOf(raw)].map(([table, columns]) => [
          table,
          raw.prepare(`SELECT ${columns} FROM ${table}`).all() as Row[],
        ]),
      );
    },
    restore() {
      if (!backup) return false;
      raw = open();
      lost = true;
      for (const off of triggers(raw)) raw.exec(`DROP TRIGGER ${off}`);
      for (const [table, rows] of backup) {
        for (const row of rows) {
          const columns = Object.keys(row);
          raw
            .prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
            .run(...Object.values(row));
        }
      }
      if (schema) raw.exec(schema);
      return true;
    },
    wipe() {
      lost = true;
      raw = open();
    },
    close() {
      for (const database of used.splice(0)) free.push({ database, schema });
    },
  };
  return store;
}

/** Databases of ended schedules. To empty one costs a tenth of making one, and its statements are prepared. */
const free: { readonly database: DatabaseSync; readonly schema: string }[] = [];

function emptyDatabase(schema: string): DatabaseSync {
  const found = free.findIndex((one) => one.schema === schema);
  const [old] = found < 0 ? [] : free.splice(found, 1);
  if (old) {
    for (const table of [...columnsOf(old.database).keys(), "sqlite_sequence"])
      old.database.prepare(`DELETE FROM ${table}`).run();
    return old.database;
  }
  const made = new Database(":memory:");
  createAllTables(made);
  if (schema) made.exec(schema);
  return made;
}

/** The columns of each table that hold content. */
function columnsOf(database: DatabaseSync): ReadonlyMap<string, string> {
  const known = columns.get(database);
  if (known) return known;
  const made = new Map<string, string>();
  const tables =
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'migration' ORDER BY name";
  for (const { name } of database.prepare(tables).all()) {
    const stored = database.prepare(`PRAGMA table_info(${name})`).all();
    made.set(String(name), stored.map((column) => String(column.name)).join(", "));
  }
  columns.set(database, made);
  return made;
}
const columns = new WeakMap<DatabaseSync, ReadonlyMap<string, string>>();

const triggers = (database: DatabaseSync): string[] =>
  database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    .all()
    .map(({ name }) => String(name));

/** A database that prepares each statement once. */
class Database extends DatabaseSync {
  readonly #known = new Map<string, StatementSync>();

  override prepare(sql: string): StatementSync {
    const known = this.#known.get(sql);
    if (known) return known;
    const statement = super.prepare(sql);
    this.#known.set(sql, statement);
    return statement;
  }
}
