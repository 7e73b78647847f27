import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { runs } from "../../../test/hostile.ts";
import { until } from "../../../test/until.ts";
import { type Broker, type Limit, type Queue, QueueFull } from "../../ports/broker.ts";
import { sqliteBroker } from "./broker.ts";

/** Files that are damaged, replaced or foreign. */

const directory = mkdtempSync(join(tmpdir(), "trigger-broken-"));
test.after(() => rmSync(directory, { recursive: true }));

const limit: Limit = { messages: 1_000, bytes: 1_000_000, beyond: "refuse" };
const queue: Queue = { name: "q", keys: ["k"], limit };

async function consume(broker: Broker): Promise<string[]> {
  const got: string[] = [];
  await broker.consume(
    "q",
    ({ body, ack }) => {
      got.push(String(Buffer.from(body)));
      ack();
    },
    { prefetch: 10 },
  );
  return got;
}

async function open(name: string) {
  const file = join(directory, name);
  const said: string[] = [];
  const broker = await sqliteBroker(file, { log: (line) => said.push(line), checkEvery: 20 });
  return { file, said, broker, [Symbol.asyncDispose]: () => broker.close() };
}

const asides = (name: string): string[] =>
  readdirSync(directory).filter((found) => found.startsWith(`${name}.corrupt-`) && !/-(wal|shm)$/.test(found));

test("a file that is no database is set aside, and a new one works", async () => {
  const junk = "not a database at all\n".repeat(500);
  writeFileSync(join(directory, "junk"), junk);
  await using here = await open("junk");
  const [aside] = asides("junk");
  assert.equal(readFileSync(join(directory, aside!), "utf8"), junk);
  assert.match(
    here.said.join(),
    new RegExp(`${here.file} .*set aside as ${join(directory, aside!)}.*messages .* lost`),
  );
  await here.broker.declare([queue]);
  await here.broker.publish("k", "works");
  const got = await consume(here.broker);
  await until(() => got.length === 1);
});

test("a database that is not a broker's is set aside as well", async () => {
  const other = new DatabaseSync(join(directory, "other"));
  other.exec("CREATE TABLE message (theirs)");
  other.close();
  await using here = await open("other");
  await here.broker.declare([queue]);
  assert.match(here.said.join(), /its table message differs from the one that trigger makes/);
});

test("a file deleted under two brokers is recreated for both, with its queues", async () => {
  await using first = await open("deleted");
  await using second = await open("deleted");
  await first.broker.declare([queue]);
  const got = await consume(second.broker);
  await first.broker.publish("k", "before");
  await until(() => got.length === 1);
  for (const part of ["", "-wal", "-shm"]) rmSync(first.file + part);
  await first.broker.publish("k", "after");
  await until(() => got.length === 2);
  await second.broker.publish("k", "and back");
  await until(() => got.length === 3);
  assert.deepEqual(got, ["before", "after", "and back"]);
  assert.match(first.said.join(), /replaced or deleted/);
  assert.match(second.said.join(), /replaced or deleted/);
});

test("everything deleted, locks too, leaves one consumer and one active candidate", async () => {
  await using first = await open("all-deleted");
  await using second = await open("all-deleted");
  await first.broker.declare([queue]);
  const got = [await consume(first.broker), await consume(second.broker)];
  const active = new Set<string>();
  for (const [name, { broker }] of Object.entries({ first, second })) {
    await broker.campaign("e", (isActive) => (isActive ? active.add(name) : active.delete(name)));
  }
  await until(() => active.size === 1);
  for (const name of readdirSync(directory)) {
    if (name.startsWith("all-deleted")) rmSync(join(directory, name), { recursive: true });
  }
  for (let n = 0; n < 20; n++) await first.broker.publish("k", `${n}`);
  await until(() => got.flat().length >= 20);
  await until(() => active.size === 1 && second.broker.trouble() !== first.broker.trouble());
  assert.deepEqual(
    got.flat().toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: 20 }, (_, n) => `${n}`),
  );
});

test("a log that grew during a read is cut off after it", async () => {
  await using here = await open("grown");
  await here.broker.declare([{ ...queue, limit: { ...limit, bytes: 1e9 } }]);
  const reader = new DatabaseSync(here.file);
  reader.exec("BEGIN; SELECT * FROM queue");
  const body = new Uint8Array(1_000_000);
  await Promise.all(Array.from({ length: 10 }, () => here.broker.publish("k", body)));
  const size = (): number => statSync(`${here.file}-wal`).size;
  assert.ok(size() > 8 * 1024 * 1024);
  reader.close();
  await until(() => size() === 0);
});

test("damage found while the broker runs sets the file aside, and work goes on", async () => {
  await using here = await open("running");
  await here.broker.declare([queue]);
  for (let n = 0; n < 50; n++) await here.broker.publish("k", `${n}`.repeat(500));
  const other = new DatabaseSync(here.file);
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
  const bytes = readFileSync(here.file); // this process is the only one: the locks that closing drops are not missed
  writeFileSync(here.file, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xa5)]));
  const got = await consume(here.broker).catch(() => consume(here.broker));
  await here.broker.publish("k", "after the damage");
  await until(() => got.includes("after the damage"));
  assert.equal(asides("running").length, 1);
  assert.equal(here.broker.trouble(), undefined);
});

test("a broker with any damaged bytes opens, logs its repair and works", async () => {
  await using sound = await open("sound");
  await sound.broker.declare([queue]);
  for (let n = 0; n < 40; n++) await sound.broker.publish("k", `${n}`.repeat(300), { messageId: `${n}` });
  await sound.broker.close();
  const image = readFileSync(sound.file);
  let run = 0;
  let replaced = 0;
  const damage = fc.array(
    fc.record({ at: fc.nat(image.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
    { minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(damage, fc.option(fc.nat(image.length)), async (patches, cut) => {
      const bytes = Buffer.from(image);
      for (const { at, bytes: patch } of patches) bytes.set(patch.subarray(0, bytes.length - at), at);
      const name = `fuzz-${run++}`;
      writeFileSync(join(directory, name), cut === null ? bytes : bytes.subarray(0, cut));
      await using here = await open(name);
      await here.broker.declare([{ ...queue, name: "q", keys: ["k", "fuzz"] }]);
      const got = await consume(here.broker);
      // Repeated until it comes: damage that is found only now drops the content of the file.
      await until(async () => {
        try {
          await here.broker.publish("fuzz", "the end");
        } catch (error) {
          if (!(error instanceof QueueFull)) throw error;
          // A damaged limit is applied and logged. The damaged size of a message counts until it is acknowledged.
          return here.said.some((line) => line.includes("keeps that until"));
        }
        return got.includes("the end");
      });
      assert.equal(here.broker.trouble(), undefined);
      if (asides(name).length > 0) replaced++;
      assert.equal(
        asides(name).length > 0,
        here.said.some((line) => line.includes("set aside")),
      );
    }),
    { numRuns: runs(40), endOnFailure: true },
  );
  assert.ok(replaced > 0, "no damage was ever noticed: the test damages nothing");
});
