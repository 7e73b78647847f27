import { join } from "node:path";
import { backup } from "node:sqlite";
import { compareObserved, type Difference, isSame } from "../core/service/compare.ts";
import { masked } from "../core/service/secret.ts";
import type { Table } from "../core/service/service.ts";
import { canonical, isRefused } from "../core/stream/cells.ts";
import type { DaemonCompared } from "../core/stream/report.ts";
import { reason, UserError } from "../core/util/errors.ts";
import type { Columns } from "../core/util/json.ts";
import { hostApi } from "../host/run/host-api.ts";
import type { RunContext } from "../host/run/run-context.ts";
import { runTable } from "../host/run/run-table.ts";
import { hostStore } from "../host/store/host-store.ts";
import { migrateStore } from "../host/store/schema.ts";
import type { ServiceStore } from "../host/store/service-store.ts";
import { dryMachine, type Noted } from "../machines/dry.ts";
import { realMachine } from "../machines/real.ts";
import type { Project } from "../project/project.ts";
import { openDatabase } from "../sqlite/open.ts";
import { systemClock } from "./clock.ts";
import { inCopyFolder } from "./copies.ts";
import { isThere, openOwned, ownedFile, storeFile } from "./store-file.ts";

/** The differences between the content of a daemon and the applied rows of a service. */
export interface ServiceDifference {
  /** The observed records of the daemon against the rows; undefined for a service that cannot observe. */
  readonly observed: Difference | undefined;
  /** The changes that a full run would make. */
  readonly noted: Noted;
  /** The reason why the comparison, or the full run, did not end. */
  readonly failed: string | undefined;
  /** True if the service has secret columns, so that no content may be shown. */
  readonly secret: boolean;
  /** Applied rows that would be removed if a person approved this digest. */
  readonly removals: { readonly digest: string; readonly rows: readonly Columns[] } | undefined;
  /** The digest to approve for conflicts with foreign things, or for files to be removed, as the last run found them. */
  readonly conflict: string | undefined;
  /** True while keys are pending, which differ for that reason. */
  readonly pending: boolean;
  /** The pending rows: as they are applied, and as they are desired. */
  readonly waiting: readonly { readonly before: Columns | undefined; readonly after: Columns | undefined }[];
}

/** A difference in numbers, as a host reports it. */
export function inNumbers({ failed, observed, noted, removals, waiting }: ServiceDifference): DaemonCompared {
  if (failed !== undefined) return { state: "failed", why: failed };
  const { missing, differs, extra, foreign } = observed ?? {};
  const counts = {
    ...(observed && {
      missing: missing?.length,
      differs: differs?.length,
      extra: extra?.length,
      foreign: foreign?.length,
    }),
    waiting: waiting.length + (removals?.rows.length ?? 0),
    files: noted.files.length + noted.changes.length,
  };
  if (counts.waiting + counts.files > 0 || (observed && !isSame(observed))) return { state: "differs", ...counts };
  if (observed || noted.commands.length === 0) return { state: "same", ...counts };
  return { state: "unknown", why: `it has no \`observe\`: a full run executes ${sayCommands(noted.commands.length)}` };
}

const sayCommands = (number: number): string => `${number} ${number === 1 ? "command" : "commands"}`;

/** Compares a table service on a host of this machine, and changes nothing. The host may be up: a copy of its store is read. */
export async function serviceDifference(
  project: Project,
  host: string,
  service: string,
  table: Table,
  { signal, log }: { signal: AbortSignal; log(line: string): void },
): Promise<ServiceDifference> {
  const file = storeFile(project.state, host);
  if (!isThere(file)) throw new UserError(`${host} has no store here (${file}): run this on the machine of ${host}`);
  return inCopyFolder(project.state, host, async (folder) => {
    await copyStore(file, join(folder, "store.db"));
    const owned = ownedFile(project.state, host);
    if (isThere(owned)) await copyStore(owned, join(folder, "owned.db"));
    const database = openDatabase(join(folder, "store.db"));
    try {
      migrateStore(database);
      openOwned(database, join(folder, "owned.db"));
      const store = hostStore(database).service(service);
      const context = { host, store, machine: dryMachine(realMachine()), clock: systemClock, signal, log };
      return await compare(table, context);
    } finally {
      database.close();
    }
  });
}

/** Copies a store without blocking the event loop of a host. It takes one step: a write by another process would restart a longer copy. */
async function copyStore(from: string, to: string): Promise<void> {
  const database = openDatabase(from, { readOnly: true });
  try {
    await backup(database, to, { rate: 2 ** 31 - 1 });
  } finally {
    database.close();
  }
}

async function compare(table: Table, context: RunContext & { machine: ReturnType<typeof dryMachine> }) {
  const { store, machine } = context;
  if (!store.readFacts()?.followed.equal) {
    throw new UserError(
      `${store.name} on ${context.host}: its table has not arrived whole yet, so there is nothing to compare with`,
    );
  }
  const secret = (table.secret ?? []).length > 0;
  const pending = store.seen.isPending();
  const waiting = waitingRows(store, table);
  const removals = removalsIn(store, table);
  const conflict = store.records.conflicts()?.digest;
  let observed: Difference | undefined;
  try {
    observed = await observe(table, context, secret);
  } catch (error) {
    return { observed, noted: machine.noted(), failed: reason(error), secret, removals, conflict, pending, waiting };
  }
  // A held service is compared as if it were approved: a person has to decide about that.
  store.write({ held: undefined, fatal: undefined });
  store.orderFullRun();
  let failed: string | undefined;
  try {
    await runTable(table, context);
  } catch (error) {
    failed = reason(error);
  }
  return { observed, noted: machine.noted(), failed, secret, removals, conflict, pending, waiting };
}

async function observe(table: Table, context: RunContext, secret: boolean): Promise<Difference | undefined> {
  const { host } = hostApi({ ...context, name: context.host, secret });
  const found = await table.observe?.(host);
  const own = context.store.records.names();
  return (
    found && compareObserved(table, context.store.runs.current(), found as Iterable<Columns>, (name) => own.has(name))
  );
}

function removalsIn(store: ServiceStore, table: Table): ServiceDifference["removals"] {
  const held = store.removals.held();
  const rows = store.runs.current();
  return held && { digest: held.digest, rows: held.keys.map((key) => masked(rows.get(key) ?? {}, table.secret)) };
}

function waitingRows(store: ServiceStore, table: Table): ServiceDifference["waiting"] {
  const read = (text: unknown): Columns | undefined =>
    typeof text === "string" && !isRefused(text) ? (masked(JSON.parse(text), table.secret) as Columns) : undefined;
  return store.seen
    .pending()
    .map(({ desired, applied }) => ({ before: read(applied), after: read(desired) }))
    .filter(({ before, after }) => canonical(before ?? null) !== canonical(after ?? null));
}
