import type { Table as Service } from "../../core/service/service.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import { type Cell, type CellChange, isRefused, refusedCell } from "../../core/stream/cells.ts";
import type { SlicedWork } from "../../core/util/slices.ts";
import type { Difference, Mirror } from "../mirror/mirror.ts";
import { contentLook, type Look } from "../mirror/read-set.ts";
import { Dependencies } from "./dependencies.ts";
import type { Reading } from "./entry-api.ts";
import { evaluate } from "./evaluate.ts";
import { Alarms } from "./timers.ts";
import { Claims } from "./unique-claims.ts";

/** So many changes are put in the order of their keys. */
const mostSorted = 10_000;

/** One service's table and all that it depends on: rows are cells, entries are inputs. */
export class Sheet {
  readonly table: CellTable;
  readonly #name: string;
  readonly #service: Service;
  readonly #mirror: Mirror;
  readonly #reading: Reading;
  readonly #keys = new Map<string, readonly string[]>();
  /** What each key says for itself, before the claims of others. */
  readonly #cells = new Map<string, Cell>();
  readonly #claims: Claims;
  readonly #dependencies = new Dependencies();
  readonly #alarms = new Alarms();
  /** The entries that asked for the clock, for a clock that goes back. */
  readonly #timed = new Set<string>();
  #refused = 0;
  #now = Number.NEGATIVE_INFINITY;

  constructor(name: string, service: Service, mirror: Mirror, reading: Reading) {
    this.table = new CellTable(name);
    this.#name = name;
    this.#service = service;
    this.#mirror = mirror;
    this.#reading = reading;
    this.#claims = new Claims(service);
  }

  /** How many keys are refused. */
  get refused(): number {
    return this.#refused;
  }

  /** Follows a change of the mirror and of the clock: each entry that either can affect is evaluated once, and those of `again`. Gives the keys that may have moved; the table is as it was. */
  *evaluate({ changed, looks }: Difference, now: number, again: Iterable<string>): SlicedWork<Set<string>> {
    const dirty = new Set(changed.keys());
    for (const uuid of again) dirty.add(uuid);
    const looking = { what: `looking who asked, for ${this.#name}`, done: 0, of: changed.size };
    for (const uuid of changed.keys()) {
      this.#addLookers(contentLook(uuid), dirty);
      yield looking;
    }
    for (const look of looks) {
      this.#addLookers(look, dirty);
      yield looking;
    }
    for (const uuid of now < this.#now ? this.#timed : this.#alarms.due(now)) dirty.add(uuid);
    this.#now = now;
    const touched = new Set<string>();
    const what = `evaluating ${this.#name}`;
    let done = 0;
    for (const uuid of dirty) {
      yield* this.#evaluate(uuid, touched);
      yield { what, done: ++done, of: dirty.size };
    }
    for (const key of this.#claims.moved()) {
      touched.add(key);
      yield { what, done, of: dirty.size };
    }
    return touched;
  }

  /** Brings the table to what was evaluated. Gives what really moved, in key order unless it is very much. Between its steps the table is neither old nor new. */
  *settle(touched: ReadonlySet<string>): SlicedWork<CellChange[]> {
    const changes: CellChange[] = [];
    const what = `moving the rows of ${this.#name}`;
    let done = 0;
    for (const key of touched) {
      yield { what, done: ++done, of: touched.size };
      const conflict = this.#claims.conflict(key);
      const after = conflict === undefined ? (this.#cells.get(key) ?? null) : refusedCell(conflict);
      const before = this.table.get(key) ?? null;
      if (before === after) continue;
      this.#refused += Number(after !== null && isRefused(after)) - Number(before !== null && isRefused(before));
      this.table.set(key, after);
      changes.push([key, after]);
    }
    // For whoever reads it: the order means nothing, and to sort a million keys is a second in one go.
    return changes.length > mostSorted ? changes : changes.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** When the clock alone moves a row, milliseconds since 1970. */
  nextTime(): number | undefined {
    return this.#alarms.first();
  }

  /** What an entry's last evaluation said, looked at and waits for. */
  of(uuid: string): { cells: [key: string, cell: Cell][]; looks: readonly Look[]; next: number | undefined } {
    return {
      cells: (this.#keys.get(uuid) ?? []).map((key) => [key, this.table.get(key) ?? ""]),
      looks: this.#dependencies.of(uuid),
      next: this.#alarms.of(uuid),
    };
  }

  #addLookers(look: Look, dirty: Set<string>): void {
    for (const uuid of this.#dependencies.lookers(look)) dirty.add(uuid);
  }

  *#evaluate(uuid: string, touched: Set<string>): SlicedWork<void> {
    const entry = this.#mirror.get(uuid);
    const read = { mirror: this.#mirror, now: this.#now, ...this.#reading };
    const { rows, refusals, looks, timed, next } = entry ? yield* evaluate(this.#service, entry, read) : nothing;
    this.#dependencies.set(uuid, looks);
    this.#alarms.set(uuid, next);
    if (timed) this.#timed.add(uuid);
    else this.#timed.delete(uuid);
    const keys = [...rows.keys(), ...refusals.keys()];
    for (const key of this.#keys.get(uuid) ?? []) {
      touched.add(key);
      this.#cells.delete(key);
      if (!rows.has(key)) this.#claims.set(key, undefined);
    }
    for (const key of keys) {
      touched.add(key);
      const row = rows.get(key);
      if (row && entry) this.#claims.set(key, { dn: entry.dn, row: row.row });
      this.#cells.set(key, row?.cell ?? refusals.get(key) ?? "");
    }
    if (keys.length > 0) this.#keys.set(uuid, keys);
    else this.#keys.delete(uuid);
  }
}

/** What an entry says that is not there. */
const nothing = {
  rows: new Map(),
  refusals: new Map(),
  looks: new Set<Look>(),
  timed: false,
  next: undefined,
} as const;
