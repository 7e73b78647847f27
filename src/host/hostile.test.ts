import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emptyStore } from "../../test/fixtures/empty-store.ts";
import { plainService, row, simulatedService } from "../../test/fixtures/host.ts";
import { hostileBodies, runs, runsWithin } from "../../test/hostile.ts";
import type { Delivery } from "../ports/broker.ts";
import { memoryMachine } from "../testing/memory-machine.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { StoredService } from "./inbox/receive.ts";
import { receiver } from "./inbox/receive.ts";
import { serviceReport } from "./report/report.ts";
import { handleNext } from "./run/handle-message.ts";
import type { RunContext } from "./run/run-context.ts";
import { hostStore } from "./store/host-store.ts";

const start = Date.UTC(2026, 10, 22);
const asOf = { state: ["20261122000000.000000Z#000000#000#000000"], clock: start };
const head = { trigger: 1, service: "dhcp", epoch: 5, seq: 1, asOf };
const rows = [
  ["k", row("a", "10.0.0.1")],
  ["e/1", row("b", "10.0.0.2")],
  ["e", "!no address"],
];
const root = "0".repeat(64);
const stream = [
  { ...head, kind: "rows", rows: [...rows, ["gone", null]], piece: 0, more: false },
  { ...head, kind: "rows", seq: 2, rows, piece: 0, more: true },
  { ...head, kind: "rows", seq: 2, rows, piece: 1, more: false },
  { ...head, kind: "digest", root, count: 2 },
  { ...head, kind: "digest", root, count: 2, buckets: Array.from({ length: 1024 }, () => root) },
  { ...head, kind: "part", from: 0, to: 2 ** 32, rows },
  { ...head, epoch: 6, rolledBack: true, kind: "rows", rows, piece: 0, more: false },
];

/** Messages that once blocked a queue for ever. */
const known = [
  JSON.stringify({ ...stream[0], seq: 2, rows: [["k", "{"]] }),
  `{"kind":"rows","trigger":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
].map((text) => Buffer.from(text));

/** A service's part of a store, and the receiver of its messages. */
function scene(definition: StoredService["service"]) {
  const database = emptyStore();
  const clock = virtualClock(start);
  const { signal } = new AbortController();
  const name = "dhcp";
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const table = "table" in definition ? definition.table : undefined;
  const store = hostStore(database).service(name);
  const inbox: StoredService = { store, service: definition, rows: table && store.rows(table) };
  const context: RunContext = { host: "a", store, machine: memoryMachine(), clock, signal, log };
  const { take } = receiver("a", inbox, { log });
  let acknowledged = 0;
  const delivery = (body: Uint8Array): Delivery => ({
    ...{ key: "k", body, redelivered: false },
    ack: () => void acknowledged++,
  });
  return {
    ...{ database, name, table, store, context, logged },
    acknowledged: () => acknowledged,
    take: (bodies: readonly Uint8Array[]) => take(bodies.map(delivery), start, signal),
    report: () => serviceReport(store),
  };
}

test("any message for a table is stored or parked, and the next is taken", async () => {
  const { definition } = simulatedService();
  const bodies = fc.array(hostileBodies(stream), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(bodies, async (hostile) => {
      const { take, acknowledged, report, database, store, table, logged } = scene(definition);
      using _ = database;
      await take([Buffer.from(JSON.stringify(stream[0])), ...hostile]);
      assert.equal(acknowledged(), hostile.length + 1);
      assert.ok(JSON.stringify(report()).length < 600_000);
      assert.ok(logged.every((line) => line.length < 10_000));
      assert.ok(table);
      const given = store.runs.begin(table);
      for (const columns of given.rows) assert.equal(typeof columns, "object");
    }),
    {
      numRuns: runs(1500),
      interruptAfterTimeLimit: runsWithin(3_000),
      endOnFailure: true,
      examples: known.map((body): [Uint8Array[]] => [[body]]),
    },
  );
});

test("any plain message is handled or parked, and the next is handled", async () => {
  await fc.assert(
    fc.asyncProperty(hostileBodies([{ n: 1 }, ...stream]), async (hostile) => {
      const { definition, handled } = plainService();
      const { take, database, store, context, name } = scene(definition);
      using _ = database;
      const good = Buffer.from('{"n":77}');
      await take([hostile, good]);
      // As if the file had been damaged after it was stored.
      database.prepare("UPDATE message SET body = ? WHERE service = ? AND body <> ?").run(hostile, name, good);
      const plain = "plain" in definition ? definition.plain : assert.fail();
      for (let left = store.messages.waiting(); left > 0; left--) await handleNext(plain, context);
      assert.equal(handled.at(-1), 77);
      assert.equal(store.messages.waiting(), 0);
    }),
    { numRuns: runs(800), interruptAfterTimeLimit: runsWithin(3_000), endOnFailure: true },
  );
});
