import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { z } from "zod";
import { type Service, service } from "../../src/core/service/service.ts";
import { runHost } from "../../src/host/host.ts";
import { serviceReport } from "../../src/host/report/report.ts";
import { hostStore } from "../../src/host/store/host-store.ts";
import { createAllTables } from "../../src/host/store/schema.ts";
import { memoryHub } from "../../src/testing/memory-broker.ts";
import { memoryDirectory } from "../../src/testing/memory-directory.ts";
import { memoryMachine } from "../../src/testing/memory-machine.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { transcribe } from "../../src/transcriber/transcriber.ts";
import { stored } from "../fixtures/entry.ts";
import { until } from "../until.ts";

const hour = 60 * 60_000;

test("a host back after a week with a full queue has each key once", async () => {
  const clock = virtualClock(Date.UTC(2026, 10, 22));
  const hub = memoryHub();
  const served = new Map<string, string>();
  let runs = 0;
  const dhcp = service({
    row: z.object({ ip: z.string() }),
    unique: ["ip"],
    select: (entry) => ({ ip: entry.one("ip") }),
    async run({ rows }) {
      served.clear();
      for (const [key, { ip }] of rows.entries()) served.set(key, ip);
      runs += 1;
    },
  }) as unknown as Service & { table: never };
  const device = (name: string, ip: string) => stored(name, `cn=${name},dc=x`, { ip });
  /** The content of the directory. */
  const wanted = new Map(Array.from({ length: 300 }, (_, i) => [`m${i}`, `${i}`]));
  const directory = memoryDirectory(
    [...wanted].map(([name, ip]) => device(name, ip)),
    clock,
  );
  const change = (name: string, ip: string): void => {
    wanted.set(name, ip);
    directory.put(device(name, ip));
  };
  const hosts = new Map([
    ["a", ["dhcp"]],
    ["civet", ["event"]],
  ]);
  const stopping = new AbortController();
  const common = { clock, codes: new Map([["dhcp", "1"]]), log() {} };
  const transcriber = transcribe({
    ...{ ...common, host: "civet", config: { hosts, timezone: "UTC" }, services: new Map([["dhcp", dhcp.table]]) },
    ...{ source: directory, broker: hub.connect(), random: Math.random, onReport() {}, signal: stopping.signal },
  });
  const database = new DatabaseSync(":memory:");
  createAllTables(database);
  function up(): () => Promise<void> {
    const stop = new AbortController();
    const ended = runHost({
      ...{ ...common, name: "a", store: hostStore(database), services: new Map([["dhcp", dhcp]]), signal: stop.signal },
      ...{ machineOf: () => memoryMachine(), connect: async () => hub.connect() },
    });
    return async () => {
      stop.abort();
      await ended;
    };
  }
  const turn = async (claim: () => boolean): Promise<void> =>
    until(async () => {
      await clock.advance(1000);
      return claim();
    });

  const down = up();
  await turn(() => served.size === 300);
  await down();
  // A change every few minutes, a burst larger than the queue, and entries that come and go.
  for (let step = 0; step < 7 * 24; step++) {
    for (let i = 0; i < 12; i++) change(`m${(step * 12 + i) % 250}`, `${step}.${i}`);
    await clock.advance(hour);
  }
  for (const name of ["m260", "m261"]) {
    wanted.delete(name);
    directory.remove(name);
  }
  change("new", "new");
  await clock.advance(hour);

  const before = runs;
  const downAgain = up();
  await turn(() => served.has("new"));
  const report = () => serviceReport(hostStore(database).service("dhcp"));
  await turn(() => report().pending === 0 && !report().doubt);
  assert.deepEqual([...served].sort(), [...wanted].sort());
  assert.equal(served.size, 299);
  assert.ok(runs - before <= 4, `${runs - before} runs`);
  await downAgain();
  stopping.abort();
  await transcriber.done;
  database.close();
});
