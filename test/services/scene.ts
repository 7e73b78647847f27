import assert from "node:assert/strict";
import type { Entry } from "../../src/core/entry.ts";
import type { Host } from "../../src/core/host.ts";
import { canonical } from "../../src/core/row.ts";
import type { Change, Columns, Rows, RunResult, Service, Table } from "../../src/core/service.ts";
import { newBook, standingClock } from "../../src/host/install/scene.fixture.ts";
import { ownedBy } from "../../src/host/owned.ts";
import { hostWords } from "../../src/host/words.ts";
import { type MemoryMachine, memoryMachine } from "../../src/machines/memory.ts";
import type { Machine } from "../../src/ports/machine.ts";
import { mirrored } from "../../src/transcriber/mirror-entry.ts";
import { entryWords } from "../../src/transcriber/words.ts";

/** A service on a host of a test: it runs with a table, and remembers what it was given. */
export interface Scene {
  readonly machine: MemoryMachine;
  readonly log: readonly string[];
  /** Runs with these rows by key: with the changes since the last run that succeeded, or none known when `whole`. */
  run(rows: Record<string, object>, options?: { whole?: boolean; interrupted?: boolean }): Promise<RunResult>;
  /** What the service observes. */
  observe(): Promise<object[]>;
}

export const tableOf = (service: Service): Table => {
  assert.ok("table" in service, "the service has no table");
  return service.table;
};

/** A scene on a machine where every program that a test does not give exits 0 in silence; what is there under the names `approved` may be taken over. */
export function scene(
  service: Service,
  { name = "host1", machine = quietMachine(), approved = [] as readonly string[] } = {},
): Scene {
  const table = tableOf(service);
  const database = newBook();
  const clock = standingClock();
  ownedBy(database, "demo", clock.now).claim(approved);
  const log: string[] = [];
  let loaded = new Map<string, Columns>();
  const words = () =>
    hostWords({
      ...{ name, service: "demo", machine, database, clock, signal: new AbortController().signal, secret: false },
      log: (line) => void log.push(line),
    });
  return {
    machine,
    log,
    observe: async () => [...((await table.observe?.(words().host)) ?? [])],
    async run(given, { whole = false, interrupted = false } = {}) {
      const rows = new Map(Object.entries(given).map(([key, row]) => [key, table.row.parse(row) as Columns]));
      const { host, keep } = words();
      const changes = whole ? undefined : changesOf(loaded, rows);
      const result = await table.run({ rows: rowsOf(rows), changes, interrupted }, host);
      keep();
      loaded = rows;
      return result;
    },
  };
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
  hostWords({
    ...{ name: "host1", service: "demo", machine, database: newBook(), clock: standingClock(), secret },
    ...{ signal: new AbortController().signal, log: () => {} },
  }).host;

/** An entry as a default `select` sees it; attribute names in lower case. */
export function entry(classes: string[], name: string, attributes: Record<string, string[]> = {}): Entry {
  const stored = new Map(Object.entries({ ...attributes, objectclass: classes }));
  return entryWords(mirrored({ uuid: name, dn: `cn=${name},dc=campus,dc=example`, attributes: stored }), {
    timezone: "UTC",
  });
}

/** What a service selects from an entry that looks at no other. */
export const selected = (service: Service, from: Entry): unknown => {
  const directory = new Proxy({}, { get: (_, word) => assert.fail(`select looks at the directory: ${String(word)}`) });
  return tableOf(service).select(from, directory as never);
};
