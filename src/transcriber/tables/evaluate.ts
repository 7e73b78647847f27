import { readRow } from "../../core/service/read-row.ts";
import type { Table } from "../../core/service/service.ts";
import { type Cell, entryKey, refusedCell } from "../../core/stream/cells.ts";
import { Refusal, reason, refusedBecause } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { Mirror } from "../mirror/mirror.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";
import type { Read, ReadSet } from "../mirror/read-set.ts";
import { directoryApi } from "./directory-api.ts";
import { type EntryContext, entryApi } from "./entry-api.ts";
import { bytesOf, entryBudget } from "./entry-budget.ts";
import { keyOfBroken, keyOfRow } from "./row-key.ts";

interface Row {
  readonly row: Columns;
  readonly cell: Cell;
}

/** The rows of one entry for one service, and everything on which they depend. */
export interface Evaluation {
  /** The accepted rows, by key. */
  readonly rows: ReadonlyMap<string, Row>;
  /** The keys that are refused, each with its cell. */
  readonly refusals: ReadonlyMap<string, Cell>;
  /** True if an administrator blessed the entry: its rows keep the values that other entries claim too. */
  readonly blessed: boolean;
  readonly reads: ReadSet;
  /** True if the clock was read. */
  readonly timed: boolean;
  /** The next time at which the clock alone changes an answer, milliseconds since 1970. */
  readonly next: number | undefined;
}

/** Evaluates a service's `select` for an entry, row by row. An error of `select` is a refusal: there is always a result. */
export function* evaluate(
  table: Table,
  entry: MirrorEntry,
  { mirror, now, ...context }: EntryContext & { readonly mirror: Mirror; readonly now: number },
): SlicedWork<Evaluation> {
  const reads = new Set<Read>();
  let timed = false;
  let next: number | undefined;
  const directory = directoryApi({
    mirror,
    now,
    ...context,
    record: (read) => reads.add(read),
    timed(at) {
      timed = true;
      if (at !== undefined) next = Math.min(at, next ?? at);
    },
  });
  const rows = new Map<string, Row>();
  const reasons = new Map<string, Wrong[]>();
  const wrongsOf = (key: string): Wrong[] => {
    const known = reasons.get(key) ?? [];
    reasons.set(key, known);
    return known;
  };
  const take = ({ key, row, wrong }: Keyed): void => {
    const other = rows.get(key);
    const isTwice = other && row && other.cell !== row.cell;
    const found = isTwice ? { why: "the entry gives two rows with one key", about: [] } : wrong;
    if (found) wrongsOf(key).push(found);
    if (row) rows.set(key, row);
  };
  const whole = entryKey(entry.uuid);
  let blessed = false;
  try {
    const selected: unknown = table.select(entryApi(entry, context), directory);
    if (Array.isArray(selected)) {
      const budget = entryBudget(selected.length);
      const what = `reading the rows of ${entry.dn}`;
      let done = 0;
      for (const raw of selected) {
        const keyed = readOne(table, entry.uuid, raw);
        take(keyed);
        const beyond = budget.take(keyed.row ? keyed.row.cell.length : bytesOf(raw));
        if (beyond !== undefined) throw new Refusal(beyond);
        yield { what, done: ++done, of: selected.length };
      }
    } else if (selected !== undefined) take({ ...readOne(table, entry.uuid, selected), key: whole });
    if (rows.size > 0 && table.claims) blessed = table.claims(entryApi(entry, context), directory) === true;
  } catch (error) {
    rows.clear();
    reasons.clear();
    take({ key: whole, wrong: wrongOf(error) });
  }
  for (const key of reasons.keys()) rows.delete(key);
  const refusals = new Map([...reasons].map(([key, wrongs]) => [key, refusal(wrongs)]));
  return { rows, refusals, blessed, reads, timed, next };
}

/** The reason why there is no row, and the columns and attributes that the reason is about. */
interface Wrong {
  readonly why: string;
  readonly about: readonly string[];
}

/** A key with its row, or with the reason why it has none. */
type Keyed = { readonly key: string; readonly row?: Row; readonly wrong?: Wrong };

/**
 * The cell of a refused key, with all its reasons. They are sorted: the order of an entry's rows makes no difference.
 */
function refusal(wrongs: readonly Wrong[]): Cell {
  const whys = [...new Set(wrongs.map(({ why }) => why))].sort();
  return refusedCell(
    plainLine(whys.join("; ")),
    wrongs.flatMap(({ about }) => about),
  );
}

/** Reads one of several rows of an entry. If the row's own key is unknown, the whole entry is refused. */
function readOne(table: Table, uuid: string, raw: unknown): Keyed {
  try {
    if (!isRow(raw)) {
      if (raw instanceof Promise) raw.catch(() => {}); // it is not awaited, and its failure must not end the process
      const why = `select returned ${shape(raw)}, expected a row, an array of rows or undefined`;
      return { key: entryKey(uuid), wrong: { why, about: [] } };
    }
    if (refusedBecause in raw) return { key: keyOfBroken(table, uuid, raw), wrong: wrongOf(raw[refusedBecause]) };
    const read = readRow(table, raw);
    if ("wrong" in read) return { key: keyOfBroken(table, uuid, raw), wrong: { why: read.wrong, about: read.about } };
    return { key: keyOfRow(table, uuid, read), row: read };
  } catch (error) {
    return { key: entryKey(uuid), wrong: wrongOf(error) };
  }
}

function isRow(raw: unknown): raw is object {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return false;
  return !("then" in raw && typeof raw.then === "function");
}

function shape(raw: unknown): string {
  if (raw === null) return "null";
  if (Array.isArray(raw)) return "an array in an array";
  return typeof raw === "object" ? "a promise (it must not be async)" : `a ${typeof raw}`;
}

function wrongOf(error: unknown): Wrong {
  try {
    if (error instanceof Refusal) return { why: error.message, about: error.about };
    return { why: `select failed: ${reason(error)}`, about: [] };
  } catch {
    return { why: "select threw an error without a text", about: [] }; // the error's own message or toString throws
  }
}
