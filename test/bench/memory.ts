import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Table } from "../../src/core/service/service.ts";
import { canonical } from "../../src/core/stream/cells.ts";
import { storedRows } from "../../src/host/store/rows.ts";
import { createAllTables } from "../../src/host/store/schema.ts";
import { openDatabase, transaction } from "../../src/sqlite/open.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { benchService, machineEntry, machines } from "./world.ts";

/** Prints what 100,000 entries at the transcriber, or rows at a host, add to a process. */

const count = 100_000;
const { table } = benchService({ runs: 0, stored: () => {}, applied: () => {} }, {}) as { table: Table };
const before = used();
const kept = process.argv[2] === "host" ? host() : transcriber();
const after = used();
process.stdout.write(
  `${mebibytes(after.heap - before.heap)} MiB of heap, ${mebibytes(after.resident - before.resident)} MiB resident\n`,
);
kept();

function transcriber(): () => void {
  const tables = transcription(new Map([["dhcp", table]]), { timezone: "UTC" });
  tables.refresh(machines(count), 0);
  return () => void tables.size;
}

function host(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "trigger-bench-"));
  const database = openDatabase(join(folder, "store.db"));
  createAllTables(database);
  const rows = storedRows(database, "dhcp", table);
  for (let start = 0; start < count; start += 500) {
    const part = Array.from({ length: 500 }, (_, i): [string, string] => {
      const { uuid, attributes } = machineEntry(start + i);
      const value = (name: string) => String(attributes.get(name)?.[0]);
      return [uuid, canonical({ name: value("cn"), mac: value("macaddress"), ip: value("iphostnumber") })];
    });
    transaction(database, () => rows.write({ kind: "rows", rows: part, staged: false }, 0));
  }
  return () => {
    database.close();
    rmSync(folder, { recursive: true });
  };
}

function used(): { heap: number; resident: number } {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
