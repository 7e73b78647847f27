import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import type { Table } from "../../src/core/service/service.ts";
import { canonical } from "../../src/core/stream/cells.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { readContent } from "../../src/directories/ldif/content.ts";
import { writeLdif } from "../../src/directories/ldif/write.ts";
import { hostApi } from "../../src/host/run/host-api.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { storedRows } from "../../src/host/store/rows.ts";
import { createAllTables } from "../../src/host/store/schema.ts";
import { realMachine } from "../../src/machines/real.ts";
import { openDatabase, transaction } from "../../src/sqlite/open.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { type Figures, figures, measure, shown } from "./figures.ts";
import { sizes } from "./options.ts";
import { benchService, machineEntry, machines, openWorld } from "./world.ts";

/** The costs on this machine, by `npm run bench`: all in one run, so that their ratios mean something. */

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const signal = new AbortController().signal;
const log = (): void => {};

out("Times in milliseconds.                                      median       p99");
const hops = await bareHops();
out("");
for (const rendered of [false, true]) {
  const medians: number[] = [];
  for (const rows of [100, 5000, 50_000]) {
    const { stored, applied } = await changeToApplied(rows, rendered);
    const what = rendered ? "file of all rows installed" : "live service, the change alone";
    out(`one change, ${String(rows).padStart(6)} rows, ${what.padEnd(31)} stored ${shown(stored)}`);
    out(`${"".padEnd(53)} applied ${shown(applied)}   ${(applied.median / hops).toFixed(1)} × the bare hops`);
    medians.push(applied.median);
  }
  const [least = 1, , most = 1] = medians;
  out(`50,000 rows cost ${(most / least).toFixed(2)} × 100 rows${rendered ? " (the rendering of the file)" : ""}\n`);
}
throughTheTranscriber();
await burst();
ldif();
memory("transcriber", "100,000 entries, one service");
memory("host", "100,000 rows");
rereading();
// In a process of its own, since its event loop is measured.
const scale = fileURLToPath(new URL("scale.ts", import.meta.url));
process.exitCode = spawnSync(process.execPath, [scale, "--rows", sizes.join()], { stdio: "inherit" }).status ?? 1;

/** The lower bound of every change: a message through the broker, a commit of the store, an install. */
async function bareHops(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-bench-"));
  const broker = await sqliteBroker(join(folder, "broker.db"), { log });
  const limit = { messages: 1000, bytes: 1e8, beyond: "drop" } as const;
  await broker.declare([{ name: "q", keys: ["k"], limit }]);
  let arrived = (): void => {};
  await broker.consume("q", (delivery) => [delivery.ack(), arrived()], { prefetch: 10 });
  const hop = await measure(300, async () => {
    const received = new Promise<void>((resolve) => (arrived = resolve));
    await broker.publish("k", "x".repeat(300));
    await received;
  });
  out(`bare: one durable enqueue and dequeue                     ${shown(hop)}`);

  const database = openDatabase(join(folder, "store.db"));
  createAllTables(database);
  const { table } = benchService({ runs: 0, stored: log, applied: log }, {}) as { table: Table };
  const rows = storedRows(database, "dhcp", table);
  const commit = await measure(300, (round) =>
    transaction(database, () =>
      rows.write(
        {
          kind: "rows",
          rows: [["k", canonical({ name: `n${round}`, mac: "02:00:00:00:00:01", ip: "10.0.0.1" })]],
          staged: false,
        },
        0,
      ),
    ),
  );
  out(`bare: one commit of the host's store                      ${shown(commit)}`);

  const words = {
    name: "a",
    machine: realMachine(),
    store: hostStore(database).service("files"),
    clock: systemClock,
    signal,
    secret: false,
    log,
  };
  const { host } = hostApi(words);
  const install = await measure(100, (round) => host.install({ path: join(folder, "file"), text: `${round}\n` }));
  out(`bare: one install of a small file                         ${shown(install)}`);
  await broker.close();
  database.close();
  rmSync(folder, { recursive: true });
  return hop.median + commit.median;
}

/** The time from one change in the directory to the commit in the host's store, and to the end of the run. */
async function changeToApplied(rows: number, rendered: boolean): Promise<{ stored: Figures; applied: Figures }> {
  await using world = await openWorld(rows, { rendered });
  await world.settled();
  const stored: number[] = [];
  const applied: number[] = [];
  for (let round = 1; round <= (rendered ? 60 : 200); round++) {
    const runs = world.watch.runs;
    const start = performance.now();
    world.watch.stored = () => {
      stored.push(performance.now() - start);
      world.watch.stored = log;
    };
    world.directory.put(machineEntry(round % rows, round));
    await world.ran(runs + 1);
    applied.push(performance.now() - start);
    await world.settled();
  }
  return { stored: figures(stored.slice(10)), applied: figures(applied.slice(10)) };
}

function throughTheTranscriber(): void {
  const { table } = benchService({ runs: 0, stored: log, applied: log }, {}) as { table: Table };
  for (const size of [1000, 50_000]) {
    const tables = transcription(new Map([["dhcp", table]]), { timezone: "UTC" });
    tables.refresh(machines(size), 0);
    const start = performance.now();
    const changes = 20_000;
    for (let round = 0; round < changes; round++) tables.change([machineEntry(round % size, round + 1)], [], 0);
    const seconds = (performance.now() - start) / 1000;
    out(
      `transcriber: ${Math.round(changes / seconds)} changes per second, one at a time, in a directory of ${size} entries`,
    );
  }
}

async function burst(): Promise<void> {
  await using world = await openWorld(20_000, { rendered: true, pace: 1000 });
  await world.settled();
  await new Promise((resolve) => setTimeout(resolve, 1100)); // the pace after the first run
  const runs = world.watch.runs;
  const start = performance.now();
  for (let i = 0; i < 10_000; i++) world.directory.put(machineEntry(i, 1));
  await world.ran(runs + 1);
  while (world.transcriber.state().services.dhcp?.rows !== 20_000)
    await new Promise((resolve) => setTimeout(resolve, 5));
  let before = -1;
  while (before !== world.watch.runs) {
    before = world.watch.runs;
    await new Promise((resolve) => setTimeout(resolve, 2500)); // two paces without a run: it is over
  }
  await world.settled();
  const seconds = (performance.now() - start) / 1000 - 2.5;
  out(
    `burst: 10,000 changes, one message each, were applied after ${seconds.toFixed(1)} s and ${world.watch.runs - runs} runs (reloads)`,
  );
}

function ldif(): void {
  const bytes = Buffer.from(writeLdif(machines(50_000)));
  const start = performance.now();
  readContent(bytes, "bench.ldif");
  const ms = performance.now() - start;
  out(
    `LDIF: 50,000 entries (${(bytes.length / 1e6).toFixed(1)} MB) are read in ${ms.toFixed(0)} ms; before that the file stands still for 200 ms`,
  );
}

function memory(what: string, of: string): void {
  out(`memory: ${what} with ${of}: ${measured("memory.ts", what)}`);
}

function rereading(): void {
  out(`memory: 100,000 entries read from an LDAP server: ${measured("reading.ts")}`);
}

/** The output of a bench script, run in a process of its own so that only its own work is measured. */
function measured(script: string, ...args: readonly string[]): string {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--expose-gc", file, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")} measured nothing: ${stderr}`);
  return stdout.trim();
}
