import { canonical } from "../../src/core/row.ts";
import type { Columns, RunResult, Service } from "../../src/core/service.ts";
import { newBook, standingClock } from "../../src/host/install/scene.fixture.ts";
import { hostWords } from "../../src/host/words.ts";
import { realMachine } from "../../src/machines/real.ts";
import { changesOf, rowsOf, tableOf } from "./scene.ts";

/** A service before a real daemon: it runs with a table, and what it is given to remember stays from one run to the next. */
export function realScene(service: Service, { name = "host1", machine = realMachine() } = {}) {
  const table = tableOf(service);
  const database = newBook();
  const clock = standingClock();
  const log: string[] = [];
  let loaded = new Map<string, Columns>();
  const words = () =>
    hostWords({
      ...{ name, service: "demo", machine, database, clock, signal: new AbortController().signal, secret: false },
      log: (line) => void log.push(line),
    });
  return {
    log,
    /** What it owns, for `trigger adopt`. */
    adopt: (record: string) => words().host.owned.claim([record]),
    async run(given: Record<string, object>, { whole = false, interrupted = false } = {}): Promise<RunResult> {
      const rows = new Map(Object.entries(given).map(([key, row]) => [key, table.row.parse(row) as Columns]));
      const now = words();
      const changes = whole ? undefined : changesOf(loaded, rows);
      const result = await table.run({ rows: rowsOf(rows), changes, interrupted }, now.host);
      now.keep();
      // What was kept out of force is as it was.
      for (const { key } of [...(result?.refused ?? []), ...(result?.held ?? [])]) {
        const before = loaded.get(key);
        if (before) rows.set(key, before);
        else rows.delete(key);
      }
      loaded = rows;
      return result;
    },
    async observe(): Promise<Columns[]> {
      return sorted((await table.observe?.(words().host)) ?? []) as Columns[];
    },
  };
}

/** Rows in an order that depends on them alone. */
export const sorted = (rows: Iterable<object>): object[] =>
  (JSON.parse(JSON.stringify([...rows])) as object[]).sort((a, b) =>
    canonical(a as Columns) < canonical(b as Columns) ? -1 : 1,
  );
