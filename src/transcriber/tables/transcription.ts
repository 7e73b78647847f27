import type { ReadConfig } from "../../core/config/config.ts";
import { evaluationDefaults } from "../../core/config/evaluation.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { type RequestedAttributes, unreadOf } from "../../core/directory/requested-attributes.ts";
import { type Schema, schemaOf, standardSchema } from "../../core/directory/schema.ts";
import type { Table as Declaration } from "../../core/service/service.ts";
import type { CellTable } from "../../core/stream/cell-table.ts";
import { type Cell, type CellChange, coverOf, isRefused, refusalOf } from "../../core/stream/cells.ts";
import type { UnfinishedEntry } from "../../core/stream/unfinished-line.ts";
import { UserError } from "../../core/util/errors.ts";
import { atOnce, type SlicedWork } from "../../core/util/slices.ts";
import { type Difference, Mirror } from "../mirror/mirror.ts";
import { describeRead } from "../mirror/read-set.ts";
import { ComputedTable } from "./computed-table.ts";
import type { EntryContext } from "./entry-api.ts";
import { Evaluator, type Task } from "./evaluate-all.ts";
import { watch as threadWatch, type Watch } from "./interrupt.ts";
import { UnfinishedEntries } from "./unfinished.ts";

/**
 * The effect of one change: the changed cells of each service that has any, and the changed entries of the directory.
 */
export interface TableChanges {
  readonly services: ReadonlyMap<string, readonly CellChange[]>;
  /** The DN of each entry, by UUID. */
  readonly entries: ReadonlyMap<string, string>;
}

/** The explanation of an entry's rows for a service. */
export interface Explanation {
  readonly dn: string;
  readonly cells: readonly (readonly [key: string, cell: Cell])[];
  /** The reads of `select`, as text. */
  readonly reads: readonly string[];
  /** The next time at which the clock alone causes another evaluation, milliseconds since 1970. */
  readonly next: number | undefined;
}

export interface RefusedRow {
  readonly key: string;
  /** The DN of the key's entry. */
  readonly dn: string;
  readonly why: string;
}

/** The context of the tables apart from the config. */
export interface TranscriptionOptions {
  /** The means to interrupt `select`; that of this thread by default. */
  readonly watch?: Watch;
  log?(line: string): void;
}

/**
 * The changes of the tables in slices. Between two slices the mirror must not be read, nor the tables once they are
 * being applied.
 */
export interface SlicedTranscription {
  refresh(entries: readonly StoredEntry[], now: number, requested?: RequestedAttributes): SlicedWork<TableChanges>;
  change(put: Iterable<StoredEntry>, removed: Iterable<string>, now: number): SlicedWork<TableChanges>;
  tick(now: number): SlicedWork<TableChanges>;
}

/**
 * All tables, computed from the directory: a pure function of its content, the clock and the services' code. A change
 * evaluates only the entries that it can affect.
 */
export interface Transcription {
  /** Takes the whole directory as one change. `requested` are the attributes that were read of it; absent if all were. */
  refresh(entries: readonly StoredEntry[], now: number, requested?: RequestedAttributes): TableChanges;
  /** Takes added and changed entries, and the UUIDs of removed ones. */
  change(put: Iterable<StoredEntry>, removed: Iterable<string>, now: number): TableChanges;
  /** Takes the present time, milliseconds since 1970. */
  tick(now: number): TableChanges;
  /** The three changes in slices. `applying` is called before the first table changes. */
  sliced(applying: () => void): SlicedTranscription;
  /** The next time at which the clock alone changes a row, milliseconds since 1970. */
  nextTime(): number | undefined;
  /** The number of entries of the directory. */
  readonly size: number;
  /** The entry of a UUID, as the source delivered it. */
  entry(uuid: string): StoredEntry | undefined;
  table(service: string): CellTable;
  refusedCount(service: string): number;
  /** The DNs of entries that may have one name, by a rule that is unknown: for each such name, the oldest first. */
  namesakes(): Iterable<readonly string[]>;
  /** Every refused row of a service, in no particular order. */
  refused(service: string): Iterable<RefusedRow>;
  /** The entries whose `select` of a service did not end in time, or not yet. */
  unfinished(service: string): readonly UnfinishedEntry[];
  /** Explains the rows of an entry. Throws a `UserError` if there is no such entry. */
  explain(service: string, dn: string): Explanation;
}

const noDifference: Difference = { changed: new Map(), reads: new Set() };

export function transcription(
  services: ReadonlyMap<string, Declaration>,
  { timezone, evaluation }: Pick<ReadConfig, "timezone"> & Partial<Pick<ReadConfig, "evaluation">>,
  { watch = threadWatch, log = () => {} }: TranscriptionOptions = {},
): Transcription {
  const mirror = new Mirror();
  const limits = { ...evaluationDefaults, ...evaluation };
  const unfinished = new UnfinishedEntries(limits.seconds * 1_000);
  const evaluator = new Evaluator({ mirror, limits, unfinished, watch, log });
  const context: { timezone: string; unread?: EntryContext["unread"]; schema: Schema } = {
    ...{ timezone, schema: standardSchema },
  };
  let last: { readonly requested: string; readonly types: string } | undefined;
  const computed = new Map(
    [...services].map(([name, declaration]) => [name, new ComputedTable(name, declaration, mirror, context)]),
  );
  const tableOf = (service: string): ComputedTable => {
    const table = computed.get(service);
    if (!table) throw new Error(`${service} has no table`);
    return table;
  };
  const dnOf = (uuid: string): string | undefined => mirror.get(uuid)?.dn;
  /** Takes the attributes that were read of the directory, and their schema. Returns true if they are others. */
  function take(requested: RequestedAttributes | undefined): boolean {
    if (!requested) return false;
    const now = { requested: JSON.stringify(requested), types: JSON.stringify(requested.types ?? []) };
    const before = last;
    last = now;
    if (now.requested === before?.requested) return false;
    if (now.types !== (before?.types ?? "[]")) context.schema = schemaOf(requested.types ?? []);
    context.unread = unreadOf(requested, context.schema);
    return true;
  }
  function* follow(
    difference: Difference,
    now: number,
    applying: () => void,
    everything = false,
  ): SlicedWork<TableChanges> {
    const again = everything ? Array.from(mirror.entries(), ({ uuid }) => uuid) : [];
    const affected: Affected[] = [];
    for (const table of computed.values()) {
      affected.push({ table, uuids: yield* table.affected(difference, now, again), touched: new Set() });
    }
    yield* evaluator.run(tasksOf(affected), now);
    for (const { table, touched } of affected) yield* table.conflicts(touched);
    applying();
    const services = new Map<string, CellChange[]>();
    for (const { table, touched } of affected) {
      const changes = yield* table.apply(touched);
      if (changes.length > 0) services.set(table.name, changes);
    }
    return { services, entries: difference.changed };
  }
  const sliced = (applying: () => void): SlicedTranscription => ({
    *refresh(entries, now, requested) {
      const everything = take(requested);
      return yield* follow(yield* mirror.refresh(entries, context.schema), now, applying, everything);
    },
    *change(put, removed, now) {
      return yield* follow(yield* mirror.change(put, removed), now, applying);
    },
    tick: (now) => follow(noDifference, now, applying),
  });
  const whole = sliced(() => {});
  return {
    refresh: (entries, now, requested) => atOnce(whole.refresh(entries, now, requested)),
    change: (put, removed, now) => atOnce(whole.change(put, removed, now)),
    tick: (now) => atOnce(whole.tick(now)),
    sliced,
    nextTime() {
      const times = [...computed.values()].flatMap((table) => table.nextTime() ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    get size() {
      return mirror.size;
    },
    entry: (uuid) => mirror.get(uuid),
    table: (service) => tableOf(service).cells,
    refusedCount: (service) => tableOf(service).refused,
    *namesakes() {
      for (const entries of mirror.allNamesakes()) yield entries.map(({ dn }) => dn);
    },
    *refused(service) {
      for (const [key, cell] of tableOf(service).cells.entries()) {
        if (isRefused(cell)) yield { key, dn: dnOf(coverOf(key)) ?? key, why: refusalOf(cell) };
      }
    },
    unfinished: (service) => unfinished.of(service),
    explain(service, dn) {
      const entry = mirror.named(dn);
      if (!entry) throw new UserError(`the directory has no entry ${JSON.stringify(dn)}`);
      const { cells, reads, next } = tableOf(service).of(entry.uuid);
      return { dn: entry.dn, cells, reads: reads.map((read) => describeRead(read, dnOf)), next };
    },
  };
}

/** The entries of one table to evaluate, and its keys that may have changed. */
interface Affected {
  readonly table: ComputedTable;
  readonly uuids: ReadonlySet<string>;
  readonly touched: Set<string>;
}

function* tasksOf(all: readonly Affected[]): Generator<Task> {
  for (const { table, uuids, touched } of all) {
    let done = 0;
    for (const uuid of uuids) yield { table, uuid, touched, done: ++done, of: uuids.size };
  }
}
