import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { readEvent } from "../../src/core/directory/event.ts";
import { type Table as Declaration, service } from "../../src/core/service/service.ts";
import { streamMessage } from "../../src/core/stream/messages.ts";
import { queueName, serviceKey } from "../../src/core/stream/routing.ts";
import { atOnce } from "../../src/core/util/slices.ts";
import { seed } from "../../src/directories/events/seed.ts";
import { eventDirectory, readEventContent } from "../../src/directories/events/source.ts";
import { QueueFull } from "../../src/ports/broker.ts";
import type { EventDirectory } from "../../src/ports/directory.ts";
import { openDatabase } from "../../src/sqlite/open.ts";
import { memoryHub } from "../../src/testing/memory-broker.ts";
import { memoryDirectory } from "../../src/testing/memory-directory.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { Mirror } from "../../src/transcriber/mirror/mirror.ts";
import { transcribe } from "../../src/transcriber/transcriber.ts";
import { until } from "../until.ts";

// Events as the truth, alone or beside a directory. The transcriber uses a broker in memory, and the test moves the
// time.

const start = Date.UTC(2026, 5, 1);
const never = new AbortController().signal;
const config = {
  timezone: "UTC",
  hosts: new Map([
    ["box", ["names"]],
    ["civet", ["event"]],
  ]),
};
const { table } = service({
  row: z.object({ name: z.string(), ip: z.string() }),
  select: (entry) => (entry.has("ip") ? { name: entry.name, ip: entry.one("ip") } : undefined),
  async run() {},
});

type Side = Record<string, readonly string[]> | null;
const machine = (name: string, ip: string): Side => ({ entryDN: [`cn=${name},dc=x`], ip: [ip] });
const entry = (name: string, ip: string): StoredEntry => ({
  uuid: `cn=${name},dc=x`,
  dn: `cn=${name},dc=x`,
  attributes: new Map([["ip", [ip]]]),
});

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "trigger-events-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "directory.db");
}

/** A network with one transcriber, whose directory is a file of events. */
function network(t: TestContext, file = temporary(t), clock: VirtualClock = virtualClock(start)) {
  const hub = memoryHub();
  const broker = hub.connect();
  const log: string[] = [];
  const open = (): EventDirectory & Disposable => {
    const database = openDatabase(file);
    return { ...eventDirectory({ database, clock }), [Symbol.dispose]: () => database.close() };
  };

  function run(directory: EventDirectory & Disposable = open(), source = directory as Parameters<typeof begin>[0]) {
    return begin(source, directory);
  }

  function begin(
    source: Parameters<typeof transcribe>[0]["source"],
    events: (EventDirectory & Disposable) | undefined,
  ) {
    const stopping = new AbortController();
    const connection = hub.connect();
    const transcriber = transcribe({
      ...{ host: "civet", config, source, broker: connection, clock, signal: stopping.signal },
      ...(events && { events }),
      services: new Map([["names", table as Declaration]]),
      codes: new Map(),
      random: () => 0.5,
      log: (line) => log.push(line),
      onReport: () => {},
    });
    let over = false;
    const stop = async (): Promise<void> => {
      if (over) return;
      over = true;
      stopping.abort();
      await transcriber.done;
      await connection.close();
      events?.[Symbol.dispose]();
    };
    t.after(stop);
    return { ...transcriber, stop };
  }

  return {
    ...{ clock, hub, log, run, begin, open },
    say: (hash: string, before: Side, after: Side, additional: unknown = null) =>
      broker.publish(serviceKey("event"), JSON.stringify([hash, before, after, additional])),
    publish: (body: string) => broker.publish(serviceKey("event"), body),
    waiting: () => hub.look(queueName("civet", "event")).length,
    seed(entries: readonly StoredEntry[]) {
      const database = openDatabase(file);
      seed(database, entries, clock.now(), clock.now());
      database.close();
    },
    /** The messages that the box received, in order. */
    told: () =>
      hub
        .look(queueName("box", "names"))
        .map(({ body }) => streamMessage.parse(JSON.parse(new TextDecoder().decode(body)))),
  };
}

test("without a directory events are stored, acknowledged and published, and survive a restart", async (t) => {
  const world = network(t);
  world.open()[Symbol.dispose]();
  world.seed([entry("a", "1")]);
  const civet = world.run();
  await until(() => civet.state().epoch !== undefined);
  await world.say("1", machine("a", "1"), machine("a", "2"), { who: "alice" });
  await world.say("2", null, machine("b", "3"));
  await until(() => world.waiting() === 0 && world.told().some(({ kind }) => kind === "rows"));
  await until(() => civet.state().services.names?.rows === 2);
  assert.ok(
    world.log.some((line) => line.includes("alice")),
    world.log.join("\n"),
  );
  const before = world.told().at(-1);
  await civet.stop();

  const again = world.run();
  await until(() => again.state().epoch !== undefined);
  await until(() => world.told().at(-1)?.epoch === again.state().epoch);
  const digest = world.told().at(-1);
  assert.equal(digest?.kind === "digest" && digest.count, 2);
  assert.deepEqual(digest?.asOf.state, before?.asOf.state);
  await world.say("1", machine("a", "1"), machine("a", "2"));
  await until(() => world.waiting() === 0);
  assert.equal(again.state().entries, 2);
});

test("a transcriber with a lost store is silent until seeded, losing no event", async (t) => {
  const world = network(t);
  const civet = world.run();
  await until(() => civet.state().active);
  await world.clock.advance(120_000);
  await world.say("1", machine("a", "1"), machine("a", "2"));
  await until(() => world.waiting() === 0);
  await world.clock.advance(120_000);
  assert.deepEqual(world.told(), []);
  const { complete, trouble, troubleSince, epoch } = civet.state();
  assert.deepEqual({ complete, troubleSince, epoch }, { complete: false, troubleSince: start, epoch: undefined });
  assert.match(String(trouble), /never seeded, or its store was lost.*`trigger seed FILE\.ldif`/);

  world.seed([entry("a", "1"), entry("b", "3")]);
  await world.clock.advance(2_000);
  await until(() => civet.state().epoch !== undefined);
  assert.equal(civet.state().trouble, undefined);
  const digest = world.told().at(-1);
  assert.ok(digest?.kind === "digest" && digest.count === 2);
  await world.say("2", machine("a", "2"), machine("a", "4"));
  await until(() => world.told().at(-1)?.kind === "rows");
  const rows = world.told().at(-1);
  assert.deepEqual(rows?.kind === "rows" && rows.rows, [["cn=a,dc=x", '{"ip":"4","name":"a"}']]);
});

test("events wait in the queue while the store fails, and keep their order", async (t) => {
  const world = network(t);
  const directory = world.open();
  world.seed([]);
  let failures = 3;
  const failing: typeof directory = {
    ...directory,
    take: (...given) => (failures-- > 0 ? Promise.reject(new Error("the disk is full")) : directory.take(...given)),
  };
  const civet = world.run(failing, directory);
  await until(() => civet.state().epoch !== undefined);
  for (let n = 1; n <= 300; n++) await world.say(`${n}`, null, machine("a", `${n}`));
  await until(() => civet.state().events?.trouble === "the disk is full");
  assert.equal(world.waiting(), 300);
  await assert.rejects(async () => {
    for (let n = 0; n <= 10_000; n++) await world.publish("[]");
  }, QueueFull);
  await world.clock.advance(1_000);
  await until(() => world.waiting() === 0);
  assert.equal(civet.state().events?.trouble, undefined);
  await until(() => world.told().at(-1)?.kind === "rows");
  const last = world.told().at(-1);
  assert.ok(last?.kind === "rows" && last.rows[0]?.[1] === '{"ip":"300","name":"a"}', JSON.stringify(last));
  assert.ok(world.log.includes("events: recovered"));
});

test("a transcriber that cannot store acknowledges nothing, and the next takes the events", async (t) => {
  const world = network(t);
  const directory = world.open();
  world.seed([]);
  const failing = { ...directory, take: () => Promise.reject(new Error("the disk is full")) };
  const civet = world.run(failing, directory);
  await until(() => civet.state().epoch !== undefined);
  await world.say("1", null, machine("a", "1"));
  await until(() => civet.state().events?.trouble !== undefined);
  await civet.stop();
  assert.equal(world.waiting(), 1);
  const next = world.run();
  await until(() => next.state().services.names?.rows === 1 && world.waiting() === 0);
});

test("a malformed event is set aside and counted, and stops no other", async (t) => {
  const world = network(t);
  const directory = world.open();
  world.seed([]);
  const civet = world.run(directory);
  await until(() => civet.state().epoch !== undefined);
  const broken = ["[]", "", "\u0000", '["", null, {"entryDN":["cn=a"]}, null]', '["h", null, {"cn":["a"]}, null]'];
  for (const body of [...broken, ...broken]) await world.publish(body);
  await world.say("1", null, machine("a", "1"));
  await until(() => civet.state().services.names?.rows === 1 && world.waiting() === 0);
  assert.equal(civet.state().events?.setAside.count, broken.length);
  assert.match(String(civet.state().events?.setAside.newest?.why), /it has no entryDN/);
});

test("with a directory late, duplicated, partial and forged events change nothing", async (t) => {
  const world = network(t);
  const directory = memoryDirectory([entry("a", "1"), entry("b", "2")], world.clock);
  const civet = world.begin(directory, undefined);
  await until(() => civet.state().epoch !== undefined);
  await until(() => world.told().length === 1);
  const forged: [Side, Side][] = [
    [machine("a", "0"), machine("a", "66")],
    [machine("a", "1"), null],
    [null, machine("evil", "66")],
    [machine("b", "2"), { entryDN: ["cn=c,dc=x"] }],
    [{ entryDN: ["dc=x"] }, null],
  ];
  for (const hash of ["1", "1", "2"]) {
    for (const [before, after] of forged) await world.say(hash, before, after, { who: "mallory" });
  }
  await until(() => world.waiting() === 0);
  await world.clock.advance(60_000);
  const [first, ...others] = world.told();
  assert.ok(first?.kind === "digest" && others.length > 0);
  for (const message of others) assert.deepEqual(message.kind === "digest" && message.root, first.root);
  assert.equal(civet.state().entries, 2);
  assert.equal(civet.state().events, undefined);
});

test("after any events, a mirror of the changes equals the state on disk", async (t) => {
  const names = ["cn=a", "cn=b", "cn=a,cn=a", "cn=b,cn=a", "cn=c,cn=b,cn=a"].map((name) => `${name},dc=x`);
  const uuids = [1, 2, 3].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
  const side = fc.option(
    fc.record({ name: fc.constantFrom(...names), uuid: fc.option(fc.constantFrom(...uuids)), text: fc.nat(3) }),
    { freq: 4 },
  );
  const event = fc.tuple(side, side).filter(([before, after]) => before !== null || after !== null);
  const initial = fc.uniqueArray(
    fc.record({ name: fc.constantFrom(...names), uuid: fc.option(fc.constantFrom(...uuids)) }),
    {
      comparator: (a, b) => a.name === b.name || (a.uuid !== null && a.uuid === b.uuid),
    },
  );
  const database = openDatabase(":memory:");
  t.after(() => database.close());
  let hash = 0;
  await fc.assert(
    fc.asyncProperty(
      initial,
      fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      async (first, batches) => {
        const directory = eventDirectory({ database, clock: virtualClock(start) });
        database.exec("DELETE FROM event");
        seed(
          database,
          first.map(({ name, uuid }) => ({ uuid: uuid ?? name, dn: name, attributes: new Map() })),
          start,
          start,
        );
        const mirror = new Mirror();
        const stop = new AbortController();
        const changes = directory.changes(stop.signal)[Symbol.asyncIterator]();
        const follow = async () => {
          const { value } = await changes.next();
          if (value?.kind === "refresh") atOnce(mirror.refresh(value.entries));
          if (value?.kind === "change") atOnce(mirror.change(value.put, value.removed));
        };
        await follow();
        for (const batch of batches) {
          const messages = batch.map((sides) => {
            const [before, after] = sides.map(
              (said): Side =>
                said && {
                  entryDN: [said.name],
                  description: [`${said.text}`],
                  ...(said.uuid && { entryUUID: [said.uuid] }),
                },
            );
            return { body: Buffer.from("[]"), event: readEvent([`${hash++}`, before, after, null]) };
          });
          // One entry changes each time, so that there is always a change to wait for.
          const tick = readEvent([`${hash++}`, null, { entryDN: ["cn=tick,dc=y"], description: [`${hash}`] }, null]);
          await directory.take([...messages, { body: Buffer.from("[]"), event: tick }], never);
          await follow();
          const is = shown(readEventContent(database));
          assert.deepEqual(shown(mirror.entries()), is);
        }
        stop.abort();
        await changes.return?.();
      },
    ),
    { numRuns: 300 },
  );
});

const shown = (entries: Iterable<StoredEntry> = []): unknown[] =>
  [...entries]
    .map(({ uuid, dn, attributes }) => [uuid, dn, [...attributes]])
    .sort((a, b) => (String(a) < String(b) ? -1 : 1));
