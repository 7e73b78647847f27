import type { EvaluationLimits } from "../../core/config/evaluation.ts";
import type { Table as Declaration } from "../../core/service/service.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import { type Cell, type CellChange, contestedCell, isRefused, refusedCell } from "../../core/stream/cells.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { Difference, Mirror } from "../mirror/mirror.ts";
import { contentRead, type Read } from "../mirror/read-set.ts";
import { Dependencies } from "./dependencies.ts";
import type { EntryContext } from "./entry-api.ts";
import { type Evaluation, evaluate, type OpenEvaluation } from "./evaluate.ts";
import { Timers } from "./timers.ts";
import { UniqueClaims } from "./unique-claims.ts";

/** The most changes that are sorted by key. */
const mostSorted = 10_000;

/** The table of one service, computed from the mirror, with everything on which its rows depend. */
export class ComputedTable {
  readonly cells: CellTable;
  readonly name: string;
  readonly #declaration: Declaration;
  readonly #mirror: Mirror;
  readonly #context: EntryContext;
  /** The keys of each entry. */
  readonly #keys = new Map<string, readonly string[]>();
  /** The cell of each key before the claims of other rows are compared. */
  readonly #ownCells = new Map<string, Cell>();
  readonly #claims: UniqueClaims;
  readonly #dependencies = new Dependencies();
  readonly #timers = new Timers();
  /** The entries that have read the clock: all are evaluated again if it is set back. */
  readonly #timed = new Set<string>();
  #refused = 0;
  #now = Number.NEGATIVE_INFINITY;

  constructor(name: string, declaration: Declaration, mirror: Mirror, context: EntryContext) {
    this.cells = new CellTable(name);
    this.name = name;
    this.#declaration = declaration;
    this.#mirror = mirror;
    this.#context = context;
    this.#claims = new UniqueClaims(declaration);
  }

  /** The number of refused keys. */
  get refused(): number {
    return this.#refused;
  }

  /** The entries that a change of the mirror or of the clock can affect, and those of `again`, each once. */
  *affected({ changed, reads }: Difference, now: number, again: Iterable<string>): SlicedWork<Set<string>> {
    const dirty = new Set(changed.keys());
    for (const uuid of again) dirty.add(uuid);
    const finding = { what: `finding the dependents of ${this.name}`, done: 0, of: changed.size };
    for (const uuid of changed.keys()) {
      this.#addReaders(contentRead(uuid), dirty);
      yield finding;
    }
    for (const read of reads) {
      this.#addReaders(read, dirty);
      yield finding;
    }
    for (const uuid of now < this.#now ? this.#timed : this.#timers.due(now)) dirty.add(uuid);
    this.#now = now;
    return dirty;
  }

  /** Opens the evaluation of an entry; undefined if the mirror has no such entry. */
  evaluate(uuid: string, limits: Required<EvaluationLimits>): OpenEvaluation | undefined {
    const entry = this.#mirror.get(uuid);
    return (
      entry && evaluate(this.#declaration, entry, { mirror: this.#mirror, now: this.#now, limits, ...this.#context })
    );
  }

  /** Takes the evaluation of an entry, and adds the keys that may have changed to `touched`. The cells are unchanged. */
  take(uuid: string, { rows, refusals, blessed, reads, timed, next }: Evaluation, touched: Set<string>): void {
    const entry = this.#mirror.get(uuid);
    this.#dependencies.set(uuid, reads);
    this.#timers.set(uuid, next);
    if (timed) this.#timed.add(uuid);
    else this.#timed.delete(uuid);
    const keys = [...rows.keys(), ...refusals.keys()];
    for (const key of this.#keys.get(uuid) ?? []) {
      touched.add(key);
      this.#ownCells.delete(key);
      if (!rows.has(key)) this.#claims.set(key, undefined);
    }
    for (const key of keys) {
      touched.add(key);
      const row = rows.get(key);
      if (row && entry) this.#claims.set(key, { dn: entry.dn, row: row.row, blessed });
      this.#ownCells.set(key, row?.cell ?? refusals.get(key) ?? "");
    }
    if (keys.length > 0) this.#keys.set(uuid, keys);
    else this.#keys.delete(uuid);
  }

  /** Adds the keys to `touched` whose conflicts may have changed by the evaluations since the last call. */
  *conflicts(touched: Set<string>): SlicedWork<void> {
    const progress = { what: `comparing the claims of ${this.name}`, done: 0, of: 0 };
    for (const key of this.#claims.changed()) {
      touched.add(key);
      yield progress;
    }
  }

  /**
   * Applies the evaluation to some keys of the table. Returns the changed cells, in key order unless there are very
   * many. Between its steps the table is inconsistent.
   */
  *apply(touched: ReadonlySet<string>): SlicedWork<CellChange[]> {
    const changes: CellChange[] = [];
    const what = `changing the rows of ${this.name}`;
    let done = 0;
    for (const key of touched) {
      yield { what, done: ++done, of: touched.size };
      const conflict = this.#claims.conflict(key);
      const own = this.#ownCells.get(key) ?? null;
      const after = conflict === undefined || own === null ? own : this.#contested(conflict, own);
      const before = this.cells.get(key) ?? null;
      if (before === after) continue;
      this.#refused += Number(after !== null && isRefused(after)) - Number(before !== null && isRefused(before));
      this.cells.set(key, after);
      changes.push([key, after]);
    }
    // The order only helps human readers, and sorting a million keys takes a second in one piece.
    return changes.length > mostSorted ? changes : changes.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The next time at which the clock alone changes a row, milliseconds since 1970. */
  nextTime(): number | undefined {
    return this.#timers.first();
  }

  /** The cells, the read set and the timer of an entry's last evaluation. */
  of(uuid: string): { cells: [key: string, cell: Cell][]; reads: readonly Read[]; next: number | undefined } {
    return {
      cells: (this.#keys.get(uuid) ?? []).map((key) => [key, this.cells.get(key) ?? ""]),
      reads: this.#dependencies.readsOf(uuid),
      next: this.#timers.of(uuid),
    };
  }

  /** The cell of a refused claim. It names the row if hosts remove refused rows: another's claim must remove none. */
  #contested(why: string, own: Cell): Cell {
    return this.#declaration.refused === undefined ? refusedCell(why) : contestedCell(why, own);
  }

  #addReaders(read: Read, dirty: Set<string>): void {
    for (const uuid of this.#dependencies.readers(read)) dirty.add(uuid);
  }
}

/** The evaluation of an entry that does not exist. */
export const nothing: Evaluation = {
  rows: new Map(),
  refusals: new Map(),
  blessed: false,
  reads: new Set<Read>(),
  timed: false,
  next: undefined,
};
