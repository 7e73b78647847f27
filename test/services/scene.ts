import assert from "node:assert/strict";
import type { Entry } from "../../src/core/directory/entry.ts";
import type { Host } from "../../src/core/service/host-api.ts";
import type { Change, Rows, RunResult, Service, Table } from "../../src/core/service/service.ts";
import { canonical } from "../../src/core/stream/cells.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { hostApi } from "../../src/host/run/host-api.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import type { Machine } from "../../src/ports/machine.ts";
import { type MemoryMachine, memoryMachine } from "../../src/testing/memory-machine.ts";
import { mirrored } from "../../src/transcriber/mirror/mirror-entry.ts";
import { entryApi } from "../../src/transcriber/tables/entry-api.ts";
import { emptyStore } from "../fixtures/empty-store.ts";
import { newStore, standingClock } from "../fixtures/install.ts";

/** A service on a machine of a test: it runs with a table, and its notes stay from one run to the next. */
export interface Scene<On extends Machine = MemoryMachine> {
  readonly machine: On;
  readonly log: readonly string[];
  /** Makes the service own these names from now on, as `trigger adopt` does. */
  adopt(...names: string[]): void;
  /** Runs with these rows by key: with the changes since the last successful run, or without any when `whole`. */
  run(rows: Record<string, object>, options?: { whole?: boolean; interrupted?: boolean }): Promise<RunResult>;
  /** The observed rows, in an order that depends on the rows alone. */
  observe(): Promise<Columns[]>;
}

export const tableOf = (service: Service): Table => {
  assert.ok("table" in service, "the service has no table");
  return service.table;
};

/**
 * A scene on a machine where every program that a test does not give exits 0 in silence.
 * Files under the names `approved` may be taken over.
 */
export function scene(
  service: Service,
  { name = "host1", machine = quietMachine(), approved = [] as readonly string[] } = {},
): Scene {
  const on = sceneOn(service, machine, name);
  on.adopt(...approved);
  return on;
}

/** A scene on any machine. */
export function sceneOn<On extends Machine>(service: Service, machine: On, name = "host1"): Scene<On> {
  const table = tableOf(service);
  const database = emptyStore();
  const clock = standingClock();
  const log: string[] = [];
  let loaded = new Map<string, Columns>();
  const words = () =>
    hostApi({
      ...{
        name,
        store: hostStore(database).service("demo"),
        machine,
        clock,
        signal: new AbortController().signal,
        secret: false,
      },
      log: (line) => void log.push(line),
    });
  return {
    machine,
    log,
    adopt: (...names) => words().host.owned.claim(names),
    async run(given, { whole = false, interrupted = false } = {}) {
      const rows = new Map(Object.entries(given).map(([key, row]) => [key, table.row.parse(row) as Columns]));
      const now = words();
      const changes = whole ? undefined : changesOf(loaded, rows);
      const result = await table.run({ rows: rowsOf(rows), changes, interrupted }, now.host);
      now.storeNotes();
      // A row that was refused or held is unchanged.
      for (const { key } of [...(result?.refused ?? []), ...(result?.held ?? [])]) {
        const before = loaded.get(key);
        if (before) rows.set(key, before);
        else rows.delete(key);
      }
      loaded = rows;
      return result;
    },
    observe: async () => sorted((await table.observe?.(words().host)) ?? []) as Columns[],
  };
}

/** Rows in an order that depends on them alone. */
export const sorted = (rows: Iterable<object>): object[] =>
  (JSON.parse(JSON.stringify([...rows])) as object[]).sort((a, b) =>
    canonical(a as Columns) < canonical(b as Columns) ? -1 : 1,
  );

/** Rows by a key, without those that claim a value of another row: no service is given such rows. */
export function distinct<Row extends object>(rows: Iterable<Row>, unique: readonly (keyof Row)[]): Record<string, Row> {
  const kept: Record<string, Row> = {};
  for (const [at, row] of [...rows].entries()) {
    const claimed = Object.values(kept).some((other) => unique.some((column) => other[column] === row[column]));
    if (!claimed) kept[`k${at}`] = row;
  }
  return kept;
}

/** A machine where every program exits 0 in silence; `onStep` is called before each step that changes something. */
export const quietMachine = (files: Record<string, string> = {}, onStep = (): void => {}): MemoryMachine =>
  memoryMachine({ files, onStep, otherwise: () => ({ code: 0 }) });

export function rowsOf(rows: ReadonlyMap<string, Columns>): Rows<Columns> {
  const entries = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    size: rows.size,
    get: (key) => rows.get(key),
    entries: () => entries,
    *[Symbol.iterator]() {
      for (const [, row] of entries) yield row;
    },
  };
}

export function changesOf(
  before: ReadonlyMap<string, Columns>,
  after: ReadonlyMap<string, Columns>,
): Change<Columns>[] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys
    .map((key) => ({ key, before: before.get(key), after: after.get(key) }))
    .filter((change) => canonical(change.before ?? null) !== canonical(change.after ?? null))
    .sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined)) as Change<Columns>[];
}

/** A host on a real machine, for the tests of real daemons. */
export const hostOn = (machine: Machine, { secret = false } = {}): Host =>
  hostApi({
    ...{ name: "host1", store: newStore("demo"), machine, clock: standingClock(), secret },
    ...{ signal: new AbortController().signal, log: () => {} },
  }).host;

/** An entry as a default `select` sees it; attribute names in lower case. */
export function entry(classes: string[], name: string, attributes: Record<string, string[]> = {}): Entry {
  const stored = new Map(Object.entries({ ...attributes, objectclass: classes }));
  return entryApi(mirrored({ uuid: name, dn: `cn=${name},dc=campus,dc=example`, attributes: stored }), {
    timezone: "UTC",
  });
}

/** The row that a service selects from an entry that looks at no other. */
export const selected = (service: Service, from: Entry): unknown => {
  const directory = new Proxy({}, { get: (_, word) => assert.fail(`select looks at the directory: ${String(word)}`) });
  return tableOf(service).select(from, directory as never);
};
