import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { createStoreTables } from "../../../src/host/store.ts";
import { createWordsTables } from "../../../src/host/words.ts";
import { Dead, type Life } from "./life.ts";

/** A host's store: what is committed survives the process, what is not does not. */
export interface Store {
  /** The database itself, for the judge. */
  readonly raw: DatabaseSync;
  /** As one process has it open. */
  openedBy(life: Life): DatabaseSync;
  /** What SQLite does for a process that died. */
  abandon(): void;
  /** It was another one once: what that one wrote into a shared daemon is not known to be ours. */
  readonly lost: boolean;
  /** The next writes, so many, find the disk full. */
  full: number;
  /** Everything in it, to be brought back by `restore`. */
  backUp(): void;
  /** Brings the backup back; says whether there was one. */
  restore(): boolean;
  /** An empty one takes its place. */
  wipe(): void;
}

type Row = Record<string, SQLInputValue>;

/** What a store lacks: `schema` is run on it, and on each that takes its place; `reads` is what processes read in the place of a row. */
export interface StoreBreak {
  readonly schema?: string;
  readonly reads?: (sql: string, row: Record<string, SQLOutputValue> | undefined) => typeof row;
}

/** Opens an empty store. */
export function openStore({ schema = "", reads = (_, row) => row }: StoreBreak = {}): Store {
  const create = (): DatabaseSync => {
    const made = new DatabaseSync(":memory:");
    createStoreTables(made);
    createWordsTables(made);
    return made;
  };
  const open = (): DatabaseSync => {
    const made = create();
    if (schema) made.exec(schema);
    return made;
  };
  let raw = open();
  let lost = false;
  let backup: Map<string, Row[]> | undefined;
  const tables = (): string[] =>
    raw
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
      .all()
      .map(({ name }) => String(name));
  const stored = (table: string): string =>
    raw
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name))
      .join(", ");

  const store: Store = {
    get raw() {
      return raw;
    },
    get lost() {
      return lost;
    },
    full: 0,
    openedBy(life) {
      const mine = raw;
      const known = prepared(mine);
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
          const statement = known(sql);
          const alive = (): void => {
            if (life.dead) throw new Dead("the process is dead");
          };
          return {
            get(...values: SQLInputValue[]) {
              alive();
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
          if (!life.dead) mine.exec(sql);
        },
      };
      return opened as unknown as DatabaseSync;
    },
    abandon() {
      if (raw.isTransaction) raw.exec("ROLLBACK");
    },
    backUp() {
      backup = new Map(
        tables().map((table) => [table, raw.prepare(`SELECT ${stored(table)} FROM ${table}`).all() as Row[]]),
      );
    },
    restore() {
      if (!backup) return false;
      raw = create();
      lost = true;
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
  };
  return store;
}

/** Statements by their text, prepared once. */
const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();
export function prepared(database: DatabaseSync): (sql: string) => StatementSync {
  const known = statements.get(database) ?? new Map<string, StatementSync>();
  statements.set(database, known);
  return (sql) => {
    const statement = known.get(sql) ?? database.prepare(sql);
    known.set(sql, statement);
    return statement;
  };
}
