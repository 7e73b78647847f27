import type { ReadConfig } from "../../core/config/config.ts";
import { type Asked, type Unread, unreadOf } from "../../core/directory/asked.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Table as Service } from "../../core/service/service.ts";
import type { CellTable } from "../../core/stream/cell-table.ts";
import { type Cell, type CellChange, coverOf, isRefused, refusalOf } from "../../core/stream/cells.ts";
import { UserError } from "../../core/util/errors.ts";
import { atOnce, type SlicedWork } from "../../core/util/slices.ts";
import { type Difference, Mirror } from "../mirror/mirror.ts";
import { sayLook } from "../mirror/read-set.ts";
import { Sheet } from "./computed-table.ts";

/** What a change moved: the rows of each service that has any, and the entries that the directory changed. */
export interface Moved {
  readonly services: ReadonlyMap<string, readonly CellChange[]>;
  /** By uuid, with the DN. */
  readonly entries: ReadonlyMap<string, string>;
}

/** Why an entry says what it says to a service. */
export interface Explanation {
  readonly dn: string;
  readonly cells: readonly (readonly [key: string, cell: Cell])[];
  /** What `select` asked of the directory, in words. */
  readonly looks: readonly string[];
  /** When the clock alone has it evaluated again, milliseconds since 1970. */
  readonly next: number | undefined;
}

export interface Refused {
  readonly key: string;
  /** The entry that the key is of. */
  readonly dn: string;
  readonly why: string;
}

/** A change that is taken in steps. Between them the mirror is not to be looked at, nor are the tables once `settling` is called. */
export interface InSteps {
  refresh(entries: readonly StoredEntry[], now: number, asked?: Asked): SlicedWork<Moved>;
  change(put: Iterable<StoredEntry>, gone: Iterable<string>, now: number): SlicedWork<Moved>;
  tick(now: number): SlicedWork<Moved>;
}

/** All tables, computed from the directory: a pure function of its content, the clock and the services' code, kept up to date by what a change can affect. */
export interface Transcription {
  /** Takes the whole directory as one change; and what was asked of it, where that is another than before. */
  refresh(entries: readonly StoredEntry[], now: number, asked?: Asked): Moved;
  /** Takes entries that appeared or changed, and the uuids of those that are gone. */
  change(put: Iterable<StoredEntry>, gone: Iterable<string>, now: number): Moved;
  /** Takes the time. */
  tick(now: number): Moved;
  /** The same three, in steps; `settling` is called when the first table begins to move. */
  inSteps(settling: () => void): InSteps;
  /** The next moment at which the clock alone moves a row, milliseconds since 1970. */
  nextTime(): number | undefined;
  /** How many entries the directory has. */
  readonly size: number;
  /** The entry of a uuid, as it was delivered. */
  entry(uuid: string): StoredEntry | undefined;
  table(service: string): CellTable;
  refusedCount(service: string): number;
  /** Every refused key of a service, in no particular order. */
  refused(service: string): Iterable<Refused>;
  /** Why an entry says what it says to a service; a `UserError` when there is no such entry. */
  explain(service: string, dn: string): Explanation;
}

const unmoved: Difference = { changed: new Map(), looks: new Set() };

export function transcription(
  services: ReadonlyMap<string, Service>,
  { timezone }: Pick<ReadConfig, "timezone">,
): Transcription {
  const mirror = new Mirror();
  const reading: { readonly timezone: string; unread?: Unread } = { timezone };
  let lastAsked: string | undefined;
  const sheets = new Map([...services].map(([name, service]) => [name, new Sheet(name, service, mirror, reading)]));
  const sheetOf = (service: string): Sheet => {
    const sheet = sheets.get(service);
    if (!sheet) throw new Error(`${service} has no table`);
    return sheet;
  };
  const dnOf = (uuid: string): string | undefined => mirror.get(uuid)?.dn;
  /** The entries that say something else by what was asked of the directory: none, or all. */
  function* asking(asked: Asked | undefined): Generator<string> {
    const said = JSON.stringify(asked);
    if (!asked || said === lastAsked) return;
    lastAsked = said;
    reading.unread = unreadOf(asked);
    for (const { uuid } of mirror.entries()) yield uuid;
  }
  function* move(difference: Difference, now: number, settling: () => void, asked?: Asked): SlicedWork<Moved> {
    const again = [...asking(asked)];
    const touched: [name: string, sheet: Sheet, keys: Set<string>][] = [];
    for (const [name, sheet] of sheets) touched.push([name, sheet, yield* sheet.evaluate(difference, now, again)]);
    settling();
    const moved = new Map<string, CellChange[]>();
    for (const [name, sheet, keys] of touched) {
      const changes = yield* sheet.settle(keys);
      if (changes.length > 0) moved.set(name, changes);
    }
    return { services: moved, entries: difference.changed };
  }
  const inSteps = (settling: () => void): InSteps => ({
    *refresh(entries, now, asked) {
      return yield* move(yield* mirror.refresh(entries), now, settling, asked);
    },
    *change(put, gone, now) {
      return yield* move(yield* mirror.change(put, gone), now, settling);
    },
    tick: (now) => move(unmoved, now, settling),
  });
  const whole = inSteps(() => {});
  return {
    refresh: (entries, now, asked) => atOnce(whole.refresh(entries, now, asked)),
    change: (put, gone, now) => atOnce(whole.change(put, gone, now)),
    tick: (now) => atOnce(whole.tick(now)),
    inSteps,
    nextTime() {
      const times = [...sheets.values()].flatMap((sheet) => sheet.nextTime() ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    get size() {
      return mirror.size;
    },
    entry: (uuid) => mirror.get(uuid),
    table: (service) => sheetOf(service).table,
    refusedCount: (service) => sheetOf(service).refused,
    *refused(service) {
      for (const [key, cell] of sheetOf(service).table.entries()) {
        if (isRefused(cell)) yield { key, dn: dnOf(coverOf(key)) ?? key, why: refusalOf(cell) };
      }
    },
    explain(service, dn) {
      const entry = mirror.named(dn);
      if (!entry) throw new UserError(`the directory has no entry ${JSON.stringify(dn)}`);
      const { cells, looks, next } = sheetOf(service).of(entry.uuid);
      return { dn: entry.dn, cells, looks: looks.map((look) => sayLook(look, dnOf)), next };
    },
  };
}
