import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Change, Service, WaitingRow } from "../../../src/core/service/service.ts";
import { canonical } from "../../../src/core/stream/cells.ts";
import type { Columns } from "../../../src/core/util/json.ts";
import { hostApi } from "../../../src/host/run/host-api.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { realMachine } from "../../../src/machines/real.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { emptyStore } from "../../fixtures/empty-store.ts";
import { standingClock } from "../../fixtures/install.ts";
import type { namespace } from "../../servers/namespace.ts";
import { rowsOf, tableOf } from "../../services/scene.ts";

/** A folder that is removed when the tests of the file end. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "trigger-nft-"));
  test.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A service on a host of a real machine. It receives changes as from a host, and its calls of nft are recorded. */
export function firewall(service: Service, { dry = false } = {}) {
  const table = tableOf(service);
  const database = emptyStore();
  const log: string[] = [];
  const said: { readonly changes: boolean; readonly words: string; readonly input: string }[] = [];
  const real = realMachine();
  const machine: Machine = {
    ...real,
    dry,
    async run(asked, options) {
      const words = "socket" in asked ? asked.socket : asked.join(" ");
      said.push({ changes: options.changes, words, input: options.input ?? "" });
      return dry && options.changes ? { code: 0, stdout: "", stderr: "" } : real.run(asked, options);
    },
  };
  const words = () =>
    hostApi({
      ...{ name: "fw", store: hostStore(database).service("firewall"), machine, clock: standingClock(), secret: false },
      ...{ signal: new AbortController().signal, log: (line: string) => void log.push(line) },
    });
  /** The parsed rows, since a large table is passed repeatedly. */
  const read = new WeakMap<object, Columns>();
  const parsed = (row: object): Columns => {
    const known = read.get(row) ?? (table.row.parse(row) as Columns);
    read.set(row, known);
    return known;
  };
  let loaded = new Map<string, Columns>();
  let took = 0;
  return {
    log,
    said,
    database,
    /** The input of the changing calls since the last call of this function. */
    told(): string[] {
      return said.splice(0).flatMap(({ changes, input }) => (changes ? [input] : []));
    },
    async run(given: Record<string, object>, { whole = false, interrupted = false } = {}) {
      const rows = new Map(Object.entries(given).map(([key, row]) => [key, parsed(row)]));
      const changes = [...new Set([...loaded.keys(), ...rows.keys()])]
        .map((key) => ({ key, before: loaded.get(key), after: rows.get(key) }) as Change<Columns>)
        .filter(({ before, after }) => before !== after && canonical(before ?? null) !== canonical(after ?? null))
        .sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined));
      const { host, storeNotes } = words();
      const began = performance.now();
      const result = (await table.run(
        { rows: rowsOf(rows), changes: whole ? undefined : changes, interrupted },
        host,
      )) as { refused?: readonly WaitingRow[]; serving?: boolean };
      storeNotes();
      took = performance.now() - began;
      for (const { key } of result.refused ?? []) {
        const before = loaded.get(key);
        if (before) rows.set(key, before);
        else rows.delete(key);
      }
      loaded = rows;
      return { refused: [], ...result };
    },
    /** The applied rows, as a host passes them to its next run: for a refused row, its former one. */
    inForce: () => Object.fromEntries(loaded),
    /** The duration of the last run, in milliseconds. */
    took: () => took,
    observe: async () => [...((await table.observe?.(words().host)) ?? [])],
  };
}

/** A table of its own in a namespace, with its boot file in a folder of its own. */
export function tableIn({ name: box, exec }: ReturnType<typeof namespace>, name: string, { rules = "" } = {}) {
  const path = join(folder(), `${name}.nft`);
  const nft = ["ip", "netns", "exec", box, "nft"] as const;
  const listed = (): string => exec("nft", "list", "table", "inet", name);
  return { name, path, nft, listed, options: { table: name, rules, path, nft } };
}
