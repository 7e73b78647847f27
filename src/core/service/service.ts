import type { z } from "zod";
import type { Directory, Entry } from "../directory/entry.ts";
import type { Columns } from "../util/json.ts";
import type { Host } from "./host-api.ts";

/**
 * The rows of a table on its host, read on demand, never all in one array. Iterating gives the rows in the order of
 * their keys.
 */
export interface Rows<Row> extends Iterable<Row> {
  /** The number of rows. */
  readonly size: number;
  /** The row with `key`, or undefined. */
  get(key: string): Row | undefined;
  /** All pairs of a key and its row, in the order of the keys. */
  entries(): Iterable<readonly [key: string, row: Row]>;
}

/** A row that was added (`before` is undefined), changed, or removed (`after` is undefined). */
export type Change<Row> =
  | { readonly key: string; readonly before: undefined; readonly after: Row }
  | { readonly key: string; readonly before: Row; readonly after: Row }
  | { readonly key: string; readonly before: Row; readonly after: undefined };

/** The input of `run`. */
export interface Run<Row> {
  /** All rows of the table. */
  readonly rows: Rows<Row>;
  /**
   * The changes since the last run that succeeded, removals first. Undefined if the daemon's state is unknown: the run
   * must then write all rows.
   */
  readonly changes: readonly Change<Row>[] | undefined;
  /**
   * True if the last run was interrupted. The daemon may have any part of its changes, so `before` may differ from what
   * it has.
   */
  readonly interrupted: boolean;
}

/** The result of a `run` that did not throw. The rows that it names wait; the others are applied. */
export type RunResult = void | {
  /** Single rows that the daemon refused. */
  readonly refused?: readonly WaitingRow[];
  /** Rows in whose place the daemon has a foreign record. */
  readonly held?: readonly WaitingRow[];
  /** True if a probe saw the daemon serve the rows, false if it did not; files of `install` have their own probe. */
  readonly serving?: boolean;
};

/** A row that was not applied. */
export interface WaitingRow {
  /** The key of the row. */
  readonly key: string;
  /** The reason, for people. */
  readonly why: string;
  /** True if the daemon has no older version of the refused row either. */
  readonly gone?: boolean;
}

/**
 * A service with a table, without its code. `In` is the row that `select` returns. `Row` is the same JSON, cleaned by
 * the columns.
 */
export interface TableDeclaration<In extends object, Row extends object, Out> {
  /** The schema of a row: one column for each member. */
  row: z.ZodType<Row, In>;
  /**
   * Columns whose values no two rows may share (in a list, each item). The first one also names each of several rows of
   * an entry.
   */
  unique?: readonly NoInfer<keyof Row & string>[];
  /**
   * True for an entry that an administrator blessed: of several entries that claim one unique value, it keeps its row.
   * It must rest on what members cannot write. Without it, or if several are blessed, all are refused.
   */
  claims?(entry: Entry, directory: Directory): boolean;
  /** Columns that are masked wherever a row is shown. */
  secret?: readonly NoInfer<keyof Row & string>[];
  /**
   * The least time between two runs, in milliseconds (1,000 by default). The first change runs at once; a burst is
   * merged into one run.
   */
  pace?: number;
  /**
   * The fate of an applied row that is refused. It stays by default; `"remove"` removes it, for rows that grant access.
   * With names of columns and attributes it is removed if one of these is missing or wrong. A claim of another entry
   * removes only a row that has changed since it was applied: with `"remove"`, or if `"claims"` is among the names.
   */
  refused?: "remove" | readonly string[];
  /**
   * True if others write to the same daemon: only records of this service (`host.owned`, by the first unique column)
   * are then changed.
   */
  shared?: boolean;
  /** The daemon whose restart causes a run on all rows. */
  daemon?: { readonly unit: string } | { readonly pidFile: string };
  /** Returns the rows of `entry`, at the transcriber. It is a pure function of the entry and the directory. */
  select(entry: Entry, directory: Directory): Out;
}

/** A service with a table. */
export interface TableService<In extends object, Row extends object, Out> extends TableDeclaration<In, Row, Out> {
  /**
   * Makes the daemon match the rows of `table`, on each host of the service.
   *
   * @throws an `Outcome` that says when to try again. Any other error is tried again after 1, 2, 4 … 30 seconds.
   */
  run(table: Run<NoInfer<Row>>, host: Host): Promise<RunResult>;
  /** The rows that the daemon really has, for `trigger diff`: parts of rows, matched by the first unique column. */
  observe?(host: Host): Promise<Iterable<Partial<NoInfer<Row>>>>;
}

/** A service that handles messages one by one. */
export interface PlainService<Body> {
  /** The schema of a message. */
  readonly schema: z.ZodType<Body>;
  /**
   * Handles a message whose `body` the schema has read.
   *
   * @throws an `Outcome`, or any other error: the message is tried again, six times at most, then parked.
   */
  handle(body: Body, host: Host): Promise<void>;
}

/** The `select` of a factory's options. */
export type Select<In> = (entry: Entry, directory: Directory) => In | readonly In[] | undefined;

type Keys<T> = T extends unknown ? keyof T : never;
type Each<Out> = Out extends readonly (infer One)[] ? One : NonNullable<Out>;
type Known<In, Out> = [Exclude<Keys<Each<Out>>, Keys<In>>] extends [never]
  ? unknown
  : { select: `the row has no column ${Exclude<Keys<Each<Out>>, Keys<In>> & string}` };
type Wire<In, Row> = [object] extends [In]
  ? unknown
  : [Row] extends [In & Columns]
    ? unknown
    : { row: "a row travels as JSON and is read twice: no Date, no bigint, no transform to another type" };

/** Compiler errors of a declaration that the types of its members alone do not reveal. */
export type Checked<In, Row, Out> = Wire<In, Row> & Known<In, Out>;

/**
 * Declares a service with a table of rows. `Out` is `const` so that literals stay literal. It is separate from `In`: a
 * missing column would otherwise widen `In` and compile.
 *
 * @example
 * ```ts
 * export default service({
 *   row: z.object({ mac: Mac, ip: Ipv4 }),
 *   unique: ["mac", "ip"],
 *   select(machine) {
 *     if (!machine.is("ieee802Device")) return;
 *     return { mac: machine.one("macAddress"), ip: machine.one("ipHostNumber") };
 *   },
 *   async run({ rows }, host) {
 *     await host.install({ path: "/etc/example", text: [...rows].map((row) => `${row.mac} ${row.ip}\n`).join("") });
 *   },
 * });
 * ```
 */
export function service<In extends object, Row extends object, const Out extends In | readonly In[] | undefined>(
  table: TableService<In, Row, Out> & Checked<In, Row, Out>,
): { readonly table: TableService<In, Row, Out> };
/** Declares a service that handles messages: `schema` reads each, `handle` acts on it. */
export function service<Body>(
  schema: z.ZodType<Body>,
  handle: (body: Body, host: Host) => Promise<void>,
): { readonly plain: PlainService<Body> };
export function service(first: object, handle?: PlainService<unknown>["handle"]): Service {
  if (handle) return { plain: { schema: first as z.ZodType<unknown>, handle } };
  return { table: first as Table };
}

/** A service with a table of any row. With `Pick`, TypeScript compares members in place of type parameters. */
export type Table = Pick<AnyTable, keyof AnyTable>;
type AnyTable = TableService<object, Columns, object | readonly object[] | undefined>;

/** A service of either form, as the rest of trigger handles it. */
export type Service = { readonly table: Table } | { readonly plain: PlainService<unknown> };
