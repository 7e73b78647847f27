import { readRow } from "../core/service/read-row.ts";
import type { PlainService, Service, Table } from "../core/service/service.ts";
import { wrongBody } from "../core/util/wrong-body.ts";
import { type Cells, changesBetween } from "./kit/samples.ts";
import { openWorld, type Waiting } from "./kit/world.ts";
import type { MemoryMachine } from "./memory-machine.ts";

/** A host in memory with one service: what `trigger up` runs on a host, with a clock that waits for no real time. */
export interface MemoryHost<Row> {
  /**
   * Makes `rows` all rows of the table, and runs the service until the host has nothing to do. Gives the rows that wait
   * because the service or a check refused them.
   *
   * @throws an error with the reason: a row does not fit its schema, or a run still fails after 15 minutes of its clock.
   */
  run(rows: Iterable<Row>): Promise<readonly Waiting[]>;
}

/** A host in memory with one service of plain messages. */
export interface MemoryMessageHost<Body> {
  /**
   * Sends the message `body`, and waits until it is handled.
   *
   * @throws an error with the reason if it does not fit its schema, or if it is parked after six attempts.
   */
  send(body: Body): Promise<void>;
}

/** The names and the time of a host in memory; each has a default. */
export interface MemoryHostOptions {
  /** The service's name, which `host.service` gives; `service` by default. */
  readonly name?: string;
  /** The host's name, which `host.name` gives; `host` by default. */
  readonly host?: string;
  /** The time at which its clock begins, in milliseconds since 1970; the present time by default. */
  readonly now?: number;
}

/** A service with a table of `Row`, as `service(…)` and the ready-made services give it. */
export interface ServiceOfRows<Row> {
  /** The table: its `run` takes the rows. */
  readonly table: { run(table: { readonly rows: Iterable<Row> }, host: never): Promise<unknown> };
}

/** A service of plain messages, as `service(schema, handle)` gives it. */
export interface ServiceOfMessages<Body> {
  /** The plain service: its `handle` takes a message. */
  readonly plain: { handle(body: Body, host: never): Promise<void> };
}

/**
 * Starts a host in memory with one service, on `machine`. The code of the service runs there as on a real host. Files
 * are installed with their check, reload and probe, and a run that fails is tried again.
 */
export function memoryHost<Row>(
  service: ServiceOfRows<Row>,
  machine: MemoryMachine,
  options?: MemoryHostOptions,
): MemoryHost<Row>;
/** Starts a host in memory with one service of plain messages, on `machine`. */
export function memoryHost<Body>(
  service: ServiceOfMessages<Body>,
  machine: MemoryMachine,
  options?: MemoryHostOptions,
): MemoryMessageHost<Body>;
export function memoryHost(
  service: ServiceOfRows<unknown> | ServiceOfMessages<unknown>,
  machine: MemoryMachine,
  { name = "service", host = "host", now = Date.now() }: MemoryHostOptions = {},
): MemoryHost<unknown> & MemoryMessageHost<unknown> {
  const given = service as unknown as Service;
  const world = openWorld({ name, host, service: given, machine, start: now });
  let before: Cells = new Map();
  let started: Promise<void> | undefined;
  const rest = async (): Promise<void> => {
    started ??= world.up();
    await started;
    const trouble = await world.rest();
    if (trouble !== undefined) throw new Error(trouble);
  };
  return {
    async run(rows) {
      if (!("table" in given)) throw new Error("a service of messages has no rows: use send");
      const after = cellsOfRows(given.table, rows);
      await world.say(changesBetween(before, after));
      before = after;
      await rest();
      return world.waiting();
    },
    async send(body) {
      if (!("plain" in given)) throw new Error("a service with a table gets no messages: use run");
      requireBody(given.plain, body);
      await world.send(body);
      await rest();
    },
  };
}

/** The cells of rows, by the value of the first unique column, or by their place. */
function cellsOfRows(table: Table, rows: Iterable<unknown>): Cells {
  const cells = new Map<string, string>();
  const [column] = table.unique ?? [];
  for (const given of rows) {
    const read = readRow(table, given as object);
    if ("wrong" in read) throw new Error(`row ${cells.size + 1}: ${read.wrong}`);
    const key = String(column === undefined ? cells.size + 1 : read.row[column]);
    if (cells.has(key)) throw new Error(`two rows have the same ${column}: ${key}`);
    cells.set(key, read.cell);
  }
  return cells;
}

function requireBody({ schema }: PlainService<unknown>, body: unknown): void {
  const read = schema.safeParse(body);
  if (!read.success) throw new Error(wrongBody(read.error));
}
