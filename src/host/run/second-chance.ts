import type { Change, Table } from "../../core/service/service.ts";
import { backoff } from "../../core/util/backoff.ts";
import { reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import type { Clock } from "../../ports/clock.ts";
import type { CheckRefusedRow } from "../store/second-chances.ts";
import type { ServiceStore } from "../store/service-store.ts";
import { linked } from "./bisect.ts";

/**
 * Retries rows that a check refused, less and less often. A check can fail for a passing reason, as when its process
 * was killed. A row that is refused again costs some checks and changes nothing.
 */

/** The waits before a second chance, in milliseconds: longer after each that failed. */
const waits = { first: 30_000, longest: 60 * 60_000 };

export interface SecondChance {
  /** Notes the end of a run. `refused` is true if a check refuses its text with any rows. */
  ended(refused: boolean): void;
}

export interface SecondChanceOptions {
  readonly store: ServiceStore;
  readonly table: Table;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called when rows are pending again. */
  poke(): void;
  log(line: string): void;
}

export function secondChance({ store, table, clock, signal, poke, log }: SecondChanceOptions): SecondChance {
  /** The number of second chances in a row for the same rows, with the next one. */
  let chances = 1;
  /** The name of the waiting rows at the last look. */
  let seen = "";
  let timer: AbortController | undefined;
  /** The groups of rows that this round still has to try. */
  let left: Group[] = [];
  /** The times since which the rows of the present group wait. */
  let tried: ReadonlyMap<string, number> = new Map();
  let allWait = false;

  function look(refused: boolean): void {
    for (const [key, since] of tried) store.chances.keepSince(key, since);
    tried = new Map();
    allWait = refused;
    const rows = store.chances.waiting();
    const what = nameOf(rows);
    if (what === seen && timer) return;
    if (what !== seen) {
      chances = 1;
      left = [];
    } else if (left.length > 0) {
      next();
      return;
    } else chances += 1;
    seen = what;
    timer?.abort("another wait");
    timer = undefined;
    if (what !== "") begin();
  }

  /**
   * A name for the waiting rows. For the whole text it is the place of the rows, because the text waits for them to
   * change.
   */
  function nameOf(rows: readonly CheckRefusedRow[]): string {
    const { mark } = store.facts?.followed ?? {};
    if (!allWait) return rows.length === 0 ? "" : JSON.stringify(rows.map(({ key, desired }) => [key, desired]));
    return `all ${mark?.epoch} ${mark?.seq}`;
  }

  function begin(): void {
    const mine = new AbortController();
    timer = mine;
    void clock.sleep(backoff(chances, waits), AbortSignal.any([mine.signal, signal])).then(() => {
      if (mine.signal.aborted || signal.aborted) return;
      timer = undefined;
      safely(() => {
        left = groupsOf(table, store.chances.waiting());
        next();
      });
    });
  }

  /** If the store fails (a full disk), the work is tried again after another wait. */
  function safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      log(`rows that a check refused are tried again later: ${reason(error)}`);
      if (!timer) begin();
    }
  }

  /** Gives the whole text, or the next group, another run. Pending rows come first; the end of their run asks again. */
  function next(): void {
    if (store.seen.isPending() && !allWait) return;
    if (allWait) store.write({ fatal: undefined });
    const group = allWait ? undefined : left.shift();
    tried = new Map(group?.map(({ key, since }) => [key, since]));
    store.chances.release(tried.keys());
    poke();
  }

  return { ended: (refused) => safely(() => look(refused)) };
}

type Group = readonly { readonly key: string; readonly since: number }[];

/** The waiting rows, in groups that must be tried together. */
function groupsOf({ unique = [] }: Table, rows: readonly CheckRefusedRow[]): Group[] {
  const since = new Map(rows.map((row) => [row.key, row.since]));
  const parse = (text: string | null): Columns | undefined => (text === null ? undefined : JSON.parse(text));
  const changes = rows
    .map(({ key, desired, applied }) => ({ key, before: parse(applied), after: parse(desired) }))
    .filter((change): change is Change<Columns> => change.before !== undefined || change.after !== undefined);
  return linked(unique, changes).map((group) => group.map(({ key }) => ({ key, since: since.get(key) ?? 0 })));
}
