import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { row, simulatedService } from "../../test/fixtures/host.ts";
import { damaged, damages, runs, runsWithin } from "../../test/hostile.ts";
import { until } from "../../test/until.ts";
import { CellTable } from "../core/stream/cell-table.ts";
import { askMessage } from "../core/stream/messages.ts";
import { hostKey, queueName, queueOf } from "../core/stream/routing.ts";
import { StreamWriter } from "../core/stream/transcriber-end.ts";
import { runHost } from "../host/host.ts";
import { serviceReport } from "../host/report/report.ts";
import { hostStore } from "../host/store/host-store.ts";
import { Unusable } from "../sqlite/integrity.ts";
import { memoryHub } from "../testing/memory-broker.ts";
import { memoryMachine } from "../testing/memory-machine.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { openStore, openStoreFile, storeFile } from "./store-file.ts";

const state = mkdtempSync(join(tmpdir(), "trigger-store-"));
test.after(() => rmSync(state, { recursive: true }));
const start = Date.UTC(2026, 10, 22);
const wanted = Array.from({ length: 60 }, (_, n) => [`k${n}`, row(`name-${n}`, `10.0.0.${n}`)] as const);

/** A transcriber that has the table, and hosts that start on a store. */
async function network() {
  const hub = memoryHub();
  const clock = virtualClock(start);
  const table = new CellTable("dhcp");
  table.apply(wanted);
  const telling = new StreamWriter("dhcp", table, { epoch: start * 1000 });
  const asOf = () => ({ state: ["20261122000000.000000Z#000000#000#000000"], clock: clock.now() });
  const speaker = hub.connect();
  await speaker.declare([queueOf("a", "dhcp", "table"), queueOf("civet", "report", "report")]);
  await speaker.consume(
    queueName("civet", "report"),
    ({ body, ack }) => {
      ack();
      const { data } = askMessage.safeParse(JSON.parse(new TextDecoder().decode(body)));
      if (!data) return;
      const { want } = data;
      const asked = { buckets: want === "buckets" };
      const answer =
        typeof want === "object" ? telling.part(want.from, want.to, asOf()) : telling.digest(asOf(), asked);
      void speaker.publish(hostKey("dhcp", "a"), JSON.stringify(answer));
    },
    { prefetch: 100 },
  );

  /** A host on its store, which begins another store each time that one is damaged, as `trigger up` does. */
  async function serves(host: string, log: string[]): Promise<void> {
    let damage: Unusable | undefined;
    for (let lives = 0; lives < 5; lives++) {
      const { definition, served } = simulatedService();
      const store = openStore(state, host, start + lives, (line) => void log.push(line), damage);
      const stop = new AbortController();
      const running = runHost({
        ...{ name: "a", store, clock, signal: stop.signal, log: (line) => void log.push(line) },
        ...{ services: new Map([["dhcp", definition]]), codes: new Map([["dhcp", "1"]]) },
        ...{ machineOf: () => memoryMachine(), connect: async () => hub.connect() },
      }).then(
        () => undefined,
        (error: unknown) => error,
      );
      let ended: unknown;
      void running.then((error) => {
        ended = error;
      });
      let seconds = 0;
      await until(
        async () => {
          await clock.advance(1_000);
          if (seconds++ % 60 === 0) await speaker.publish(hostKey("dhcp", "a"), JSON.stringify(telling.digest(asOf())));
          return ended !== undefined || served.size === wanted.length;
        },
        { within: 20_000 },
      ).catch((error) => assert.fail(`${error.message}\n${log.slice(-20).join("\n")}`));
      if (ended === undefined) JSON.stringify(serviceReport(store.service("dhcp")));
      stop.abort(new Error("down"));
      ended ??= await running;
      store.close();
      if (ended === undefined) return;
      assert.ok(ended instanceof Unusable, `${(ended as Error).stack}`);
      damage = ended;
    }
    assert.fail("every store is found to be damaged");
  }
  return { serves, clock };
}

const asides = (host: string): number =>
  readdirSync(join(state, host)).filter((name) => /\.corrupt-.*Z$/.test(name)).length;

/** The bytes of a store that a host has left. */
async function soundStore(): Promise<Buffer> {
  const { serves } = await network();
  await serves("sound", []);
  const file = storeFile(state, "sound");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
  database.close();
  return readFileSync(file);
}

test("a host with a damaged store serves its table again, and logs the damage", async () => {
  const image = await soundStore();
  let run = 0;
  let replaced = 0;
  await fc.assert(
    fc.asyncProperty(damages, fc.boolean(), async (damage, inPlace) => {
      const bytes = damaged(image, inPlace ? { ...damage, cut: null } : damage, { inPlace });
      const host = `fuzz-${run++}`;
      mkdirSync(dirname(storeFile(state, host)));
      writeFileSync(storeFile(state, host), bytes);
      const log: string[] = [];
      const { serves } = await network();
      await serves(host, log);
      if (asides(host) > 0) replaced++;
      assert.equal(asides(host), log.filter((line) => line.includes("set aside as")).length);
      rmSync(join(state, host), { recursive: true });
    }),
    { numRuns: runs(40), interruptAfterTimeLimit: runsWithin(4_000), endOnFailure: true },
  );
  assert.ok(replaced > 0, "no damage was ever noticed: the test damages nothing");
});

test("a store that calls itself read-only is a damaged one", async () => {
  const image = await soundStore();
  const writeVersion = 18; // https://sqlite.org/fileformat.html
  image[writeVersion] = 77;
  mkdirSync(dirname(storeFile(state, "readonly")));
  writeFileSync(storeFile(state, "readonly"), image);
  const log: string[] = [];
  await (await network()).serves("readonly", log);
  assert.match(log.join("\n"), /could not be read \(attempt to write a readonly database\) and is set aside as /);
});

test("a store with nonsensical facts and rows costs a comparison, not the host", async () => {
  const image = await soundStore();
  const nonsense = fc.constantFrom<string | number | null>(
    ...["", "{", "null", "5", "[]", "{}", '{"mark":5}', "!", "\0", "x".repeat(100_000), null, 0, -1, 1, 2 ** 53 - 1],
    ...['{"mark":{"epoch":9e15,"seq":1,"asOf":{"state":[],"clock":1}}}', '{"ip":{}}', "9".repeat(20)],
  );
  const places = [
    ...["service.followed", "service.applied", "service.form", "service.rows", "service.full", "service.code"],
    ...["service.serving", "row.desired", "row.applied", "row.tried", "row.doubt", "row.hash", "row.detail"],
    ...["row.retained_by", "row.since", "row.service"],
  ];
  {
    using store = openStoreFile(state, "sound", start, () => {});
    // Throws for a column that the store does not have.
    for (const [table, column] of places.map((place) => place.split(".")))
      store.prepare(`SELECT ${column} FROM ${table}`);
  }
  const columns = fc.constantFrom(...places);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(columns, nonsense, fc.nat(3)), { minLength: 1, maxLength: 4 }),
      async (writes) => {
        const host = `nonsense-${run++}`;
        const file = storeFile(state, host);
        mkdirSync(dirname(file));
        writeFileSync(file, image);
        const database = new DatabaseSync(file);
        for (const [place, value, some] of writes) {
          const [table, column] = place.split(".");
          const key = table === "row" ? "key" : "name";
          const write = `UPDATE OR IGNORE ${table} SET ${column} = ? WHERE unicode(substr(${key}, -1)) % 4 <= ?`;
          try {
            database.prepare(write).run(value, some);
          } catch {
            // Not every column takes every value.
          }
        }
        database.close();
        const log: string[] = [];
        const { serves } = await network();
        await serves(host, log);
        rmSync(join(state, host), { recursive: true });
      },
    ),
    { numRuns: runs(40), interruptAfterTimeLimit: runsWithin(4_000), endOnFailure: true },
  );
});

test("a foreign database in the place of a store is set aside", async () => {
  const file = storeFile(state, "other");
  mkdirSync(dirname(file));
  const other = new DatabaseSync(file);
  other.exec("CREATE TABLE row (theirs); CREATE TABLE service (name TEXT)");
  other.close();
  const log: string[] = [];
  const { serves } = await network();
  await serves("other", log);
  assert.equal(asides("other"), 1);
  assert.match(log.join("\n"), /set aside as .*tables come again/);
});

test("a store with an unreadable number is replaced at the first reading", async () => {
  const { serves } = await network();
  await serves("number", []);
  const database = new DatabaseSync(storeFile(state, "number"));
  database.exec("UPDATE row SET doubt = 9223372036854775807, applied = NULL");
  database.close();
  const log: string[] = [];
  await serves("number", log);
  assert.equal(asides("number"), 1);
});

test("a row under an impossible hash is found and moved to its own", async () => {
  const { serves } = await network();
  await serves("misplaced", []);
  const file = storeFile(state, "misplaced");
  for (const hash of [Number.MIN_SAFE_INTEGER, -1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const database = new DatabaseSync(file);
    database.prepare("UPDATE row SET hash = ?, desired = '{}', applied = NULL").run(hash);
    database.close();
    await serves("misplaced", []);
    const read = new DatabaseSync(file, { readOnly: true });
    assert.equal(read.prepare("SELECT count(*) AS n FROM row WHERE hash = ?").get(hash)?.n, 0);
    read.close();
  }
  assert.equal(asides("misplaced"), 0);
});

test("a transcriber's store passes over unreadable reports and states", () => {
  using database = openStoreFile(state, "kept", start, () => {});
  const { transcriber } = hostStore(database);
  const report = { trigger: 1, kind: "report", host: "b", at: 1, services: {} } as const;
  transcriber.keepReport(report);
  transcriber.keepState({ services: {} } as never);
  for (const body of ["", "{", "null", "5", '{"services":1}', '{"trigger":1}']) {
    database.prepare("INSERT OR REPLACE INTO report (host, body) VALUES ('a', ?)").run(body);
    assert.deepEqual(transcriber.reports(), [report]);
    database.prepare("UPDATE transcriber SET body = ?").run(body);
    assert.equal(transcriber.state(), undefined);
  }
});
