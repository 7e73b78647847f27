import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Table as Declaration } from "../../src/core/service/service.ts";
import { CellTable } from "../../src/core/stream/cell-table.ts";
import { canonical } from "../../src/core/stream/cells.ts";
import { type Followed, follow, type TableQuestion } from "../../src/core/stream/host-end.ts";
import { StreamWriter } from "../../src/core/stream/transcriber-end.ts";
import { inSlices, type SlicedWork } from "../../src/core/util/slices.ts";
import { systemClock as clock } from "../../src/daemon/clock.ts";
import { reconciliation } from "../../src/host/inbox/reconcile.ts";
import { storedRows } from "../../src/host/store/rows.ts";
import { createAllTables } from "../../src/host/store/schema.ts";
import { openDatabase, transaction } from "../../src/sqlite/open.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { costOfOneMore } from "./askers.ts";
import { figures } from "./figures.ts";
import { sizes } from "./options.ts";
import { benchService, machineEntry, machines } from "./world.ts";

/** The last part of `npm run bench`: what a change and a comparison cost in a small table and in a large one, and how long the event loop stands still at most. */

const { table } = benchService({ runs: 0, stored() {}, applied() {} }, {}) as { table: Declaration };
const signal = new AbortController().signal;
const out = (line: string): void => void process.stdout.write(`${line}\n`);
const grouped = (count: number): string => count.toLocaleString("en-US");

const costs: { transcriber: number; host: number }[] = [];
for (const size of sizes) {
  out(`${grouped(size)} rows`);
  const transcriber = await atTranscriber(size);
  const host = await atHost(size);
  costs.push({ transcriber, host });
}
const [least, most] = [costs[0], costs.at(-1)];
if (least && most && sizes.length > 1) {
  const ratio = (of: "transcriber" | "host"): string => (most[of] / least[of]).toFixed(2);
  out(`a change among ${grouped(sizes.at(-1) ?? 0)} rows costs, by one among ${grouped(sizes[0] ?? 0)}:`);
  out(`  ${ratio("transcriber")} × at the transcriber, ${ratio("host")} × in the host's store`);
}

const [few, many] = [500, 4000].map(costOfOneMore);
if (few && many) {
  const cost = (of: "looks" | "claims"): string =>
    `${many[of].toFixed(0)} ms, ${(many[of] / few[of]).toFixed(1)} × of 500`;
  out(`one machine more, where 4,000 each ask for all: ${cost("looks")}`);
  out(`  where 4,000 claim one address: ${cost("claims")} (8 × is linear)`);
}

/** Does it, and says how long it took and how long the event loop stood still at most. */
async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  await work();
  const took = performance.now() - start;
  await clock.sleep(5);
  delay.disable();
  out(
    `  ${what.padEnd(52)} ${(took / 1000).toFixed(2).padStart(8)} s   still at most ${(delay.max / 1e6).toFixed(0)} ms`,
  );
}

async function sliced<T>(steps: SlicedWork<T>): Promise<T | undefined> {
  let result: T | undefined;
  const done = (value: T): void => {
    result = value;
  };
  await inSlices(steps, { clock, signal, log() {}, done });
  return result;
}

/** Gives what a change costs, in milliseconds. */
async function atTranscriber(size: number): Promise<number> {
  const tables = transcription(new Map([["dhcp", table]]), { timezone: "UTC" });
  const { refresh } = tables.sliced(() => {});
  const entries = machines(size);
  await timed("the directory is read and evaluated", async () => void (await sliced(refresh(entries, 0))));
  const again = machines(size);
  await timed("it is read again and compared with the mirror", async () => void (await sliced(refresh(again, 0))));
  const { rss } = process.memoryUsage();
  const samples: number[] = [];
  for (let round = 0; round < 2000; round++) {
    const start = performance.now();
    tables.change([machineEntry((round * 7919) % size, round + 1)], [], 0);
    samples.push(performance.now() - start);
  }
  const { median } = figures(samples.slice(500));
  out(
    `  a change at the transcriber: ${(median * 1000).toFixed(0)} µs (median); ${(rss / 2 ** 30).toFixed(1)} GiB resident`,
  );
  return median;
}

/** Gives what a change costs, in milliseconds. */
async function atHost(size: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-bench-"));
  const database = openDatabase(join(folder, "store.db"));
  createAllTables(database);
  const mine = storedRows(database, "dhcp", table);
  const theirs = new CellTable("dhcp");
  for (let number = 0; number < size; number++) theirs.set(...rowOf(number, 0));
  const telling = new StreamWriter("dhcp", theirs, { epoch: 1 });
  const { withSums, heard } = reconciliation("dhcp", mine);
  let followed: Followed = {};

  /** Asks until both are equal; gives the bytes that went either way, and the questions. */
  async function compare(): Promise<{ bytes: number; questions: number }> {
    const asOf = { state: [], clock: 0 };
    let [bytes, questions] = [0, 0];
    for (let want: TableQuestion | undefined = "digest"; want !== undefined; questions++) {
      want = withSums(want);
      const message =
        typeof want === "string"
          ? telling.digest(asOf, { buckets: want === "buckets" })
          : telling.part(want.from, want.to, asOf, want.have);
      bytes += JSON.stringify(message).length + JSON.stringify(want).length;
      const { followed: next, write, ask } = follow(followed, message, mine.digest);
      transaction(database, () => write && mine.write(write, 0));
      followed = next;
      if (message.kind === "part") heard(message);
      want = ask;
      await clock.sleep(1);
    }
    if (mine.digest.root !== theirs.digest.root) throw new Error("they never became equal");
    return { bytes, questions };
  }
  async function repair(what: string): Promise<void> {
    let told = { bytes: 0, questions: 0 };
    await timed(what, async () => {
      told = await compare();
    });
    out(`  ${"".padEnd(4)}${grouped(told.bytes)} bytes, ${grouped(told.questions)} questions`);
  }

  await repair("a new host gets the table");
  for (const differing of [1, 100, 10_000].filter((count) => count < size)) {
    for (let i = 0; i < differing; i++) theirs.set(...rowOf((i * 7919) % size, differing));
    await repair(`a repair of ${grouped(differing)} rows that differ`);
  }
  const samples: number[] = [];
  for (let round = 0; round < 1000; round++) {
    const rows = [rowOf((round * 7919) % size, round + 7)];
    const start = performance.now();
    transaction(database, () => mine.write({ kind: "rows", rows, staged: false }, 0));
    samples.push(performance.now() - start);
  }
  await timed("a host that starts reads its rows", async () => void (await sliced(mine.recompute(1))));
  const { median } = figures(samples.slice(200));
  out(`  a change in the host's store: ${(median * 1000).toFixed(0)} µs (median, with its commit)`);
  database.close();
  rmSync(folder, { recursive: true });
  return median;
}

function rowOf(number: number, version: number): [key: string, cell: string] {
  const { uuid, attributes } = machineEntry(number, version);
  const value = (name: string): string => String(attributes.get(name)?.[0]);
  return [uuid, canonical({ name: value("cn"), mac: value("macaddress"), ip: value("iphostnumber") })];
}
