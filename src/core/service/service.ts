import type { z } from "zod";
import type { Directory, Entry } from "../directory/entry.ts";
import type { Columns } from "../util/json.ts";
import type { Host } from "./host-api.ts";

/** The rows of a table on its host, read when asked for: never an array of them all. */
export interface Rows<Row> extends Iterable<Row> {
  readonly size: number;
  get(key: string): Row | undefined;
  /** Every row with its key, in key order. */
  entries(): Iterable<readonly [key: string, row: Row]>;
}

export type Change<Row> =
  | { readonly key: string; readonly before: undefined; readonly after: Row }
  | { readonly key: string; readonly before: Row; readonly after: Row }
  | { readonly key: string; readonly before: Row; readonly after: undefined };

/** What `run` is given. */
export interface Run<Row> {
  readonly rows: Rows<Row>;
  /** What differs from the last run that succeeded, removals first; undefined when the daemon's state is unknown and everything is to be made so. */
  readonly changes: readonly Change<Row>[] | undefined;
  /** The last run did not end: the daemon may have any part of what it was given, so `before` may not be what it has. */
  readonly interrupted: boolean;
}

/** What `run` may answer. The rows that it names wait; the others are loaded. */
export type RunResult = void | {
  /** Single rows that the daemon refused. */
  readonly refused?: readonly KeptRow[];
  /** Rows in whose place the daemon has something that trigger did not write. */
  readonly held?: readonly KeptRow[];
  /** The daemon was seen to serve what was given; what was installed is proved by its own probe. */
  readonly proved?: boolean;
};

/** A row that is not in force, and why. */
export interface KeptRow {
  readonly key: string;
  readonly why: string;
  /** Of a refused row: what was in force of it is gone from the daemon as well. */
  readonly gone?: boolean;
}

/** What a service with a table is, apart from what it does. `In` is what `select` gives, `Row` what the column types make of it: the same JSON, cleaned. */
export interface TableDeclaration<In extends object, Row extends object, Out> {
  row: z.ZodType<Row, In>;
  /** Columns whose values (of a list, each item) no two rows may share; the first one also names each of an entry's several rows. */
  unique?: readonly NoInfer<keyof Row & string>[];
  /** Columns that are masked wherever they would be shown. */
  secret?: readonly NoInfer<keyof Row & string>[];
  /** The least time between two runs, in milliseconds (1,000 by default): the first change runs at once, a burst is folded. */
  pace?: number;
  /**
   * What becomes of a row in force that is refused: it stays, unless this says that it goes (where a row grants access).
   * With names of columns and attributes it goes if one of them is missing or wrong.
   */
  refused?: "remove" | readonly string[];
  /** Others write to the same daemon: only what was written here (`host.owned`, by the first unique column) is changed, the rest is foreign. */
  shared?: boolean;
  /** The daemon whose restart makes its state unknown. */
  daemon?: { readonly unit: string } | { readonly pidFile: string };
  /** The rows of an entry; pure. At the transcriber. */
  select(entry: Entry, directory: Directory): Out;
}

/** A service with a table. */
export interface TableService<In extends object, Row extends object, Out> extends TableDeclaration<In, Row, Out> {
  /** Makes the daemon match the rows. On each host of the service. */
  run(table: Run<NoInfer<Row>>, host: Host): Promise<RunResult>;
  /** What the daemon really serves, as partial rows matched on the first unique column. */
  observe?(host: Host): Promise<Iterable<Partial<NoInfer<Row>>>>;
}

/** A service that handles messages one by one. */
export interface PlainService<Body> {
  readonly schema: z.ZodType<Body>;
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

/** The errors of a declaration that the types of its members alone do not show. */
export type Checked<In, Row, Out> = Wire<In, Row> & Known<In, Out>;

/**
 * Declares a service with a table of rows, or one that handles plain messages.
 * `Out` is `const` so that literals stay literal, and apart from `In` because a missing column would otherwise widen `In` and compile.
 *
 * @example
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
 */
export function service<In extends object, Row extends object, const Out extends In | readonly In[] | undefined>(
  table: TableService<In, Row, Out> & Checked<In, Row, Out>,
): { readonly table: TableService<In, Row, Out> };
export function service<Body>(
  schema: z.ZodType<Body>,
  handle: (body: Body, host: Host) => Promise<void>,
): { readonly plain: PlainService<Body> };
export function service(first: object, handle?: PlainService<unknown>["handle"]): Service {
  if (handle) return { plain: { schema: first as z.ZodType<unknown>, handle } };
  return { table: first as Table };
}

/** A table service whose types have been checked where it was written. `Pick`, so that a service of any row is one: its members are compared, not its parameters. */
export type Table = Pick<AnyTable, keyof AnyTable>;
type AnyTable = TableService<object, Columns, object | readonly object[] | undefined>;

/** A service of either form, as the rest of trigger handles it. */
export type Service = { readonly table: Table } | { readonly plain: PlainService<unknown> };
