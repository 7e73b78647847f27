import { hostsOf } from "../core/config/config.ts";
import { mayBeEmptied, removalsAllowed } from "../core/config/removals.ts";
import { cellGoes } from "../core/service/refusal-goes.ts";
import { type Cell, isRefused } from "../core/stream/cells.ts";
import type { Project } from "../project/project.ts";
import { computeTables } from "./compute-tables.ts";

/** What time alone will do to a service in one hour. */
export interface Forecast {
  /** When the first of it happens, milliseconds since 1970. */
  readonly at: number;
  readonly service: string;
  readonly added: number;
  readonly removed: number;
  /** How many rows there are then, before it. */
  readonly rows: number;
  /** How many may go from a host in an hour: more will be held. */
  readonly limit: number;
  /** No row will be left, and the config does not say that the table may be empty: the last ones will be held. */
  readonly empties: boolean;
  readonly hosts: readonly string[];
}

const hour = 60 * 60_000;

/** Lets the clock run over the directory as it is now, and counts, by hour, the rows that come and go. Nobody is told. */
export async function forecast(project: Project, now: number, days: number): Promise<Forecast[]> {
  const { services, transcription } = await computeTables(project, now);
  const isRow = (cell: Cell | null | undefined): boolean => typeof cell === "string" && !isRefused(cell);
  const tables = new Map([...services.keys()].map((name) => [name, new Map(transcription.table(name).entries())]));
  const rowsOf = new Map([...tables].map(([name, table]) => [name, [...table.values()].filter(isRow).length]));
  const hours = new Map<string, { -readonly [field in keyof Forecast]: Forecast[field] }>();

  const end = now + days * 24 * hour;
  for (let at = transcription.nextTime(); at !== undefined && at <= end; at = transcription.nextTime()) {
    for (const [service, changes] of transcription.tick(at).services) {
      const table = tables.get(service);
      const rows = rowsOf.get(service) ?? 0;
      const name = `${service} ${Math.floor(at / hour)}`;
      const found = hours.get(name);
      const limit = removalsAllowed(project.config.removals, service, rows);
      const hosts = hostsOf(project.config, service);
      const one = found ?? { at, service, added: 0, removed: 0, rows, limit, empties: false, hosts };
      hours.set(name, one);
      for (const [key, cell] of changes) {
        const [was, is] = [isRow(table?.get(key)), isRow(cell)];
        if (is && !was) one.added += 1;
        // A refused row that is kept is no removal.
        if (was && !is && cellGoes(services.get(service), cell)) one.removed += 1;
        if (cell === null) table?.delete(key);
        else table?.set(key, cell);
        rowsOf.set(service, (rowsOf.get(service) ?? 0) + Number(is) - Number(was));
      }
      if (one.removed > 0 && rowsOf.get(service) === 0) one.empties = !mayBeEmptied(project.config.removals, service);
    }
  }
  return [...hours.values()].filter(({ added, removed }) => added + removed > 0);
}
