import { hostsOf } from "../core/config/config.ts";
import { mayBeEmptied, removalsAllowed } from "../core/config/removals.ts";
import { cellRemoves } from "../core/service/refusal-removes.ts";
import { type Cell, isRefused } from "../core/stream/cells.ts";
import type { Project } from "../project/project.ts";
import { computeTables } from "./compute-tables.ts";

/** The changes that time alone will make to a service in one hour. */
export interface Forecast {
  /** The time of the first change, in milliseconds since 1970. */
  readonly at: number;
  readonly service: string;
  readonly added: number;
  readonly removed: number;
  /** The number of rows before the first change. */
  readonly rows: number;
  /** The most rows that a host removes in an hour: more will be held. */
  readonly limit: number;
  /** True if no row will be left and the config does not let the table be empty: the last rows will be held. */
  readonly empties: boolean;
  readonly hosts: readonly string[];
}

const hour = 60 * 60_000;

/** Lets the clock run over the directory as it is now, and counts the rows that are added and removed in each hour. Publishes nothing. */
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
        // A refused row with a retained last good row is no removal.
        if (was && !is && cellRemoves(services.get(service), cell, table?.get(key) ?? null)) one.removed += 1;
        if (cell === null) table?.delete(key);
        else table?.set(key, cell);
        rowsOf.set(service, (rowsOf.get(service) ?? 0) + Number(is) - Number(was));
      }
      if (one.removed > 0 && rowsOf.get(service) === 0) one.empties = !mayBeEmptied(project.config.removals, service);
    }
  }
  return [...hours.values()].filter(({ added, removed }) => added + removed > 0);
}
