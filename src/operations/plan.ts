import { DatabaseSync } from "node:sqlite";
import { hostsOf } from "../core/config/config.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import type { Schema } from "../core/directory/schema.ts";
import { cellRemoves } from "../core/service/refusal-removes.ts";
import type { Table } from "../core/service/service.ts";
import { type CellChange, isRefused } from "../core/stream/cells.ts";
import { reason } from "../core/util/errors.ts";
import { systemClock } from "../daemon/clock.ts";
import { readLdif } from "../daemon/read-file.ts";
import { applyRecords } from "../directories/ldif/apply.ts";
import { readContent } from "../directories/ldif/content.ts";
import { readRecords } from "../directories/ldif/records.ts";
import { runTable } from "../host/run/run-table.ts";
import { hostStore } from "../host/store/host-store.ts";
import { createAllTables } from "../host/store/schema.ts";
import { dryMachine, type Noted } from "../machines/dry.ts";
import { emptyMachine } from "../machines/empty.ts";
import type { Project } from "../project/project.ts";
import { computeTables } from "./compute-tables.ts";

/** The changes that a new directory would make: every service runs on a dry machine over an empty one. */
export interface Plan {
  readonly services: readonly ServicePlan[];
  readonly hosts: readonly HostPlan[];
}

/** The rows of a service that would change. */
export interface ServicePlan {
  readonly service: string;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The entries that would be refused, and are not refused now. */
  readonly refused: readonly { readonly dn: string; readonly why: string }[];
}

/** The result of the run of a service on one host. */
export interface HostPlan {
  readonly host: string;
  readonly service: string;
  /** True if the service has secret columns, so that no content may be shown. */
  readonly secret: boolean;
  readonly noted: Noted;
  /** The reason why the service could not be run. */
  readonly failed: string | undefined;
}

/** Computes the changes that an LDIF file, with a whole content or with change records, would make on every host. Writes nothing. */
export async function makePlan(project: Project, file: string, now: number): Promise<Plan> {
  const { services, entries, schema, transcription } = await computeTables(project, now);
  const before = new Map([...services.keys()].map((name) => [name, [...transcription.table(name).entries()]]));
  const refusedBefore = new Map(
    [...services.keys()].map((name) => [name, new Set([...transcription.refused(name)].map(({ key }) => key))]),
  );
  const changed = transcription.refresh(newContent(entries, file, schema), now).services;

  const hosts: HostPlan[] = [];
  for (const [service, table] of services) {
    const changes = changed.get(service) ?? [];
    if (changes.length === 0) continue;
    for (const host of hostsOf(project.config, service)) {
      hosts.push(await runOn(host, service, table, before.get(service) ?? [], changes));
    }
  }
  return {
    services: [...services.keys()].map((service) => ({
      service,
      ...counts(new Map(before.get(service)), changed.get(service) ?? [], services.get(service)),
      refused: [...transcription.refused(service)].filter(({ key }) => !refusedBefore.get(service)?.has(key)),
    })),
    hosts,
  };
}

function newContent(entries: readonly StoredEntry[], file: string, schema?: Schema): readonly StoredEntry[] {
  const bytes = readLdif(file);
  const records = readRecords(bytes, file);
  const isContent = records.every(({ kind }) => kind === "content");
  return isContent ? readContent(bytes, file) : applyRecords(entries, records, file, schema);
}

/** Runs a service on the rows as they are, then with the changes, and returns the result of the second run. */
async function runOn(
  host: string,
  service: string,
  table: Table,
  rows: readonly CellChange[],
  changes: readonly CellChange[],
): Promise<HostPlan> {
  const database = new DatabaseSync(":memory:");
  createAllTables(database); // before the store, which prepares its statements
  const machine = dryMachine(emptyMachine);
  const signal = new AbortController().signal;
  const store = hostStore(database).service(service);
  const context = { host, store, machine, clock: systemClock, signal, log: () => {} };
  const plan = { host, service, secret: (table.secret ?? []).length > 0 };
  try {
    const stored = store.rows(table);
    store.write({ form: "table" });
    store.orderFullRun();
    stored.write({ kind: "rows", rows, staged: false }, 0);
    await runTable(table, context);
    machine.forget();
    stored.write({ kind: "rows", rows: changes, staged: false }, 0);
    await runTable(table, context);
    return { ...plan, noted: machine.noted(), failed: undefined };
  } catch (error) {
    return { ...plan, noted: machine.noted(), failed: reason(error) };
  } finally {
    database.close();
  }
}

function counts(before: ReadonlyMap<string, string>, changes: readonly CellChange[], table: Table | undefined) {
  const isRow = (cell: string | null | undefined): boolean => typeof cell === "string" && !isRefused(cell);
  const kinds = changes.map(([key, cell]) => ({
    was: isRow(before.get(key)),
    is: isRow(cell),
    gone: cellRemoves(table, cell, before.get(key) ?? null),
  }));
  return {
    added: kinds.filter(({ was, is }) => !was && is).length,
    changed: kinds.filter(({ was, is }) => was && is).length,
    removed: kinds.filter(({ was, gone }) => was && gone).length,
  };
}
