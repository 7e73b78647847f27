import type { EvaluationLimits } from "../../core/config/evaluation.ts";
import { readRow } from "../../core/service/read-row.ts";
import type { Table } from "../../core/service/service.ts";
import { type Cell, entryKey, refusedCell } from "../../core/stream/cells.ts";
import { Refusal, reason, refusedBecause } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { Mirror, Preparation } from "../mirror/mirror.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";
import type { Read, ReadSet } from "../mirror/read-set.ts";
import { directoryApi } from "./directory-api.ts";
import { type EntryContext, entryApi } from "./entry-api.ts";
import { EntryBudget } from "./entry-budget.ts";
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

/** An evaluation under way. It may be given up between two steps, and also in the middle of one. */
export interface OpenEvaluation {
  readonly steps: SlicedWork<Evaluation>;
  /** The reads until now. */
  readonly reads: ReadSet;
  /** Long work that an answer needs: it must be done, and the evaluation repeated. */
  readonly needed: Preparation | undefined;
  /** The evaluation if it is given up after a limit was exceeded; undefined if none was. */
  over(): Evaluation | undefined;
}

export interface EvaluateContext extends EntryContext {
  readonly mirror: Mirror;
  readonly now: number;
  readonly limits: Required<EvaluationLimits>;
}

/**
 * Opens the evaluation of a service's `select` for an entry, row by row. An error of `select` is a refusal: there is
 * always a result.
 */
export function evaluate(
  table: Table,
  entry: MirrorEntry,
  { mirror, now, limits, ...context }: EvaluateContext,
): OpenEvaluation {
  const reads = new Set<Read>();
  const budget = new EntryBudget(limits);
  let timed = false;
  let next: number | undefined;
  let needed: Preparation | undefined;
  const directory = directoryApi({
    ...{ mirror, now, budget, ...context },
    record: (read) => reads.add(read),
    timed(at) {
      timed = true;
      if (at !== undefined) next = Math.min(at, next ?? at);
    },
    needs(work) {
      needed = work;
    },
  });
  const own = entryApi(entry, context, (values) => budget.look(values));
  const whole = entryKey(entry.uuid);
  const refusedWhole = (wrong: Wrong): Evaluation => {
    return { rows: new Map(), refusals: new Map([[whole, refusal([wrong])]]), blessed: false, reads, timed, next };
  };

  function* steps(): SlicedWork<Evaluation> {
    try {
      const rows = new KeyedRows();
      const selected: unknown = table.select(own, directory);
      if (Array.isArray(selected)) {
        const what = `reading the rows of ${entry.dn}`;
        let done = 0;
        for (const raw of selected) {
          const keyed = readOne(table, entry.uuid, raw);
          rows.take(keyed);
          budget.row(keyed.row ? keyed.row.cell.length : budget.bytesOf(raw), selected.length);
          if (keyed.row) budget.compare(claimCount(table, keyed.row.row));
          yield { what, done: ++done, of: selected.length };
        }
      } else if (selected !== undefined) rows.take({ ...readOne(table, entry.uuid, selected), key: whole });
      const blessed = rows.size > 0 && table.claims?.(own, directory) === true;
      // `select` may have caught the refusal.
      if (budget.over !== undefined) return refusedWhole(beyond(budget.over));
      return { ...rows.end(), blessed, reads, timed, next };
    } catch (error) {
      return refusedWhole(wrongOf(error));
    }
  }
  return {
    steps: steps(),
    reads,
    get needed() {
      return needed;
    },
    over: () => (budget.over === undefined ? undefined : refusedWhole(beyond(budget.over))),
  };
}

/** The rows of an entry by key, and what is wrong with them. */
class KeyedRows {
  readonly #rows = new Map<string, Row>();
  readonly #wrongs = new Map<string, Wrong[]>();

  get size(): number {
    return this.#rows.size;
  }

  take({ key, row, wrong }: Keyed): void {
    const other = this.#rows.get(key);
    const isTwice = other && row && other.cell !== row.cell;
    const found = isTwice ? { why: "the entry gives two rows with one key", about: [] } : wrong;
    const known = this.#wrongs.get(key);
    if (found && known) known.push(found);
    else if (found) this.#wrongs.set(key, [found]);
    if (row) this.#rows.set(key, row);
  }

  end(): Pick<Evaluation, "rows" | "refusals"> {
    for (const key of this.#wrongs.keys()) this.#rows.delete(key);
    return { rows: this.#rows, refusals: new Map([...this.#wrongs].map(([key, wrongs]) => [key, refusal(wrongs)])) };
  }
}

/** The number of values that a row claims. Each is compared with the claims of other rows. */
function claimCount({ unique = [] }: Table, row: Columns): number {
  return unique.reduce((sum, column) => sum + [row[column]].flat().length, 0);
}

const beyond = (why: string): Wrong => ({ why, about: [] });

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
