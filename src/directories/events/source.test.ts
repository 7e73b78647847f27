import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { directoryContract, entryOf } from "../../../test/contracts/directory.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { readEvent } from "../../core/directory/event.ts";
import { olderState } from "../../core/stream/messages.ts";
import type { EventDirectory, EventMessage, SourceChange } from "../../ports/directory.ts";
import { openDatabase } from "../../sqlite/open.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { asideLimit, keptLimit, rememberedLimit } from "./journal.ts";
import { seed } from "./seed.ts";
import { eventDirectory, readEventContent } from "./source.ts";

const never = new AbortController().signal;
const start = Date.UTC(2026, 5, 1);
const hour = 3_600_000;

directoryContract("events", async (entries, clock) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-events-"));
  const file = join(folder, "directory.db");
  const own = openDatabase(file);
  const source = eventDirectory({ database: own, clock, every: 20 });
  const other = openDatabase(file);
  const hold = async (content: readonly StoredEntry[]) => void seed(other, content, clock.now(), clock.now());
  await hold(entries);
  return {
    source,
    hold,
    break: async () => other.exec("UPDATE directory SET complete = 0"),
    async close() {
      own.close();
      other.close();
      rmSync(folder, { recursive: true });
    },
  };
});

type Side = Record<string, string[]> | null;
const message = (hash: string, before: Side, after: Side): EventMessage => {
  const said = [hash, before, after, null];
  return { body: Buffer.from(JSON.stringify(said)), event: readEvent(said) };
};
const named = (name: string, more: Record<string, string[]> = {}): Side => ({
  entryDN: [`cn=${name},dc=campus`],
  ...more,
});
const uuid = (digit: number): string => `00000000-0000-4000-8000-00000000000${digit}`;

function scene(t: TestContext, { every = 1000 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-events-"));
  const file = join(folder, "directory.db");
  const clock = virtualClock(start);
  const databases: ReturnType<typeof openDatabase>[] = [];
  const connect = () => {
    const database = openDatabase(file);
    databases.push(database);
    return database;
  };
  t.after(() => {
    for (const database of databases) database.close();
    rmSync(folder, { recursive: true });
  });
  const database = connect();
  const open = (): EventDirectory => eventDirectory({ database, clock, every });
  const directory = open();
  return {
    ...{ clock, database, directory, open },
    /** A seed by another process. */
    seed: (entries: readonly StoredEntry[], exported = clock.now()) => seed(connect(), entries, exported, clock.now()),
    take: (...messages: EventMessage[]) => directory.take(messages, never),
    names: () =>
      readEventContent(database)
        ?.map(({ dn }) => dn)
        .sort(),
    texts: () =>
      Object.fromEntries(
        (readEventContent(database) ?? []).map(({ dn, attributes }) => [dn, attributes.get("description")?.[0]]),
      ),
  };
}

test("before a seed the source delivers trouble with its remedy, and no content", async (t) => {
  const { directory, take, seed, clock } = scene(t);
  const stop = new AbortController();
  const seen: SourceChange[] = [];
  const following = (async () => {
    for await (const change of directory.changes(stop.signal)) seen.push(change);
  })();
  await clock.advance(10_000);
  await take(message("1", null, named("a")));
  await clock.advance(10_000);
  assert.deepEqual(
    seen.map(({ kind }) => kind),
    ["trouble"],
  );
  assert.match(seen[0]?.kind === "trouble" ? seen[0].why : "", /never seeded.*lost.*`trigger seed FILE\.ldif`/);

  seed([entryOf("b")]);
  await clock.advance(1_000);
  assert.ok(seen[1]?.kind === "refresh");
  assert.deepEqual(seen[1].entries.map(({ dn }) => dn).sort(), ["cn=a,dc=campus", "cn=b,dc=campus"]);
  await take(message("2", named("b"), null));
  await clock.advance(0);
  assert.ok(seen[2]?.kind === "change");
  assert.deepEqual([seen[2].put, seen[2].removed], [[], ["cn=b,dc=campus"]]);
  assert.ok(olderState(seen[1].state, seen[2].state));
  stop.abort();
  await following;
});

test("an event is taken once by its hash, also after a restart", async (t) => {
  const { seed, take, open, texts, clock, database } = scene(t);
  seed([]);
  const [one, two] = ["b", "c"].map((text) => message(text, named("a"), named("a", { description: [text] })));
  await take(one!, two!, one!);
  await take(one!);
  clock.advance(5_000);
  await open().take([one!], never);
  assert.deepEqual(texts(), { "cn=a,dc=campus": "c" });
  assert.equal(database.prepare("SELECT count(*) AS events FROM event").get()?.events, 2);
});

test("an entry that is renamed takes its subtree along, with its uuid or without", async (t) => {
  const { seed, take, names } = scene(t);
  const at = (dn: string): StoredEntry => ({ uuid: dn, dn, attributes: new Map() });
  seed([at("ou=x,dc=campus"), at("cn=1,ou=x,dc=campus"), at("cn=2,cn=1,ou=x,dc=campus"), at("cn=3,ou=xx,dc=campus")]);
  await take(message("1", { entryDN: ["ou=x,dc=campus"] }, { entryDN: ["ou=y,dc=campus"] }));
  assert.deepEqual(names(), [
    "cn=1,ou=y,dc=campus",
    "cn=2,cn=1,ou=y,dc=campus",
    "cn=3,ou=xx,dc=campus",
    "ou=y,dc=campus",
  ]);
  await take(message("2", { entryDN: ["ou=y,dc=campus"] }, { entryDN: ["ou=z,dc=campus"], entryUUID: [uuid(1)] }));
  await take(message("3", null, { entryDN: ["ou=w,dc=campus"], entryUUID: [uuid(1)] }));
  assert.deepEqual(names(), [
    "cn=1,ou=w,dc=campus",
    "cn=2,cn=1,ou=w,dc=campus",
    "cn=3,ou=xx,dc=campus",
    "ou=w,dc=campus",
  ]);
  await take(message("4", { entryDN: ["ou=gone,dc=campus"], entryUUID: [uuid(1)] }, null));
  assert.deepEqual(names(), ["cn=3,ou=xx,dc=campus"]);
});

test("an event without a uuid is about the entry of its name", async (t) => {
  const { seed, take, database } = scene(t);
  seed([{ ...entryOf("a"), uuid: uuid(1) }]);
  await take(message("1", named("a"), named("b")));
  assert.deepEqual(
    readEventContent(database)?.map((entry) => [entry.uuid, entry.dn]),
    [[uuid(1), "cn=b,dc=campus"]],
  );
});

test("an entry with another uuid is another entry, and takes the name", async (t) => {
  const { seed, take, database } = scene(t);
  seed([{ ...entryOf("a"), uuid: uuid(1) }]);
  await take(message("late", { ...named("a"), entryUUID: [uuid(2)] }, null));
  assert.equal(readEventContent(database)?.length, 1);
  await take(message("new", null, named("a", { entryUUID: [uuid(3)] })));
  assert.deepEqual(
    readEventContent(database)?.map((entry) => entry.uuid),
    [uuid(3)],
  );
});

test("a twin takes nothing from its neighbour, with a uuid or without", async (t) => {
  const { seed, take, names } = scene(t);
  seed([]);
  const [lab, twin] = [{ entryDN: ["roomId=lab,dc=campus"] }, { entryDN: ["roomId=LAB,dc=campus"] }];
  const below = { entryDN: ["cn=a,roomId=lab,dc=campus"] };
  await take(message("1", null, lab), message("2", null, below), message("3", null, twin));
  assert.deepEqual(names(), ["cn=a,roomId=lab,dc=campus", "roomId=LAB,dc=campus", "roomId=lab,dc=campus"]);
  await take(message("4", twin, null));
  await take(message("5", twin, null), message("6", twin, { ...twin, cn: ["late"] }), message("7", twin, null));
  assert.deepEqual(names(), ["cn=a,roomId=lab,dc=campus", "roomId=lab,dc=campus"]);
  const [file, other] = [named("file", { entryUUID: [uuid(1)] }), named("ﬁle", { entryUUID: [uuid(2)] })];
  await take(message("8", null, file), message("9", null, other), message("10", other, null));
  assert.deepEqual(names(), ["cn=a,roomId=lab,dc=campus", "cn=file,dc=campus", "roomId=lab,dc=campus"]);
});

test("events since the export, and of the hour before, come on a seed", async (t) => {
  const { clock, seed, take, texts } = scene(t);
  seed([entryOf("old")]);
  await take(message("early", named("a"), named("a", { description: ["early"] })));
  await clock.advance(2 * hour);
  await take(message("margin", named("b"), named("b", { description: ["within the hour"] })));
  const exported = clock.now() + hour / 2;
  await clock.advance(hour);
  await take(message("1", named("c"), named("c", { description: ["first"] })));
  await take(message("2", named("c"), named("c", { description: ["second"] })), message("3", named("d"), null));
  const seeded = seed(
    ["a", "b", "c", "d"].map((name) => entryOf(name, "from the file")),
    exported,
  );
  assert.deepEqual(seeded, { entries: 3, applied: 4, exported, keptSince: start });
  assert.deepEqual(texts(), {
    "cn=a,dc=campus": "from the file",
    "cn=b,dc=campus": "within the hour",
    "cn=c,dc=campus": "second",
  });
});

test("the state grows through restarts, seeds, and a clock that was set back", async (t) => {
  const { clock, seed, take, open, database } = scene(t);
  const state = () => [String(database.prepare("SELECT state FROM directory").get()?.state)];
  seed([], start - hour);
  await clock.advance(hour);
  await take(message("1", null, named("a")));
  const first = state();
  const before = { ...clock, now: () => start };
  const late = eventDirectory({ database, clock: before });
  await late.take([message("2", null, named("b"))], never);
  const second = state();
  assert.ok(olderState(first, second), `${first} ${second}`);
  open();
  seed([]);
  assert.ok(olderState(second, state()));
});

test("messages that are no event are set aside once, a thousand at most", async (t) => {
  const { directory, seed, take, clock } = scene(t);
  const broken = (text: string): EventMessage => ({ body: Buffer.from(text), wrong: `wrong: ${text}` });
  await take(broken("x"), broken("x"));
  assert.deepEqual(directory.aside(), { count: 1, newest: { why: "wrong: x", at: start } });
  await take(...Array.from({ length: asideLimit.messages + 50 }, (_, index) => broken(`${index}`)));
  assert.equal(directory.aside().count, asideLimit.messages);
  await clock.advance(1);
  await take(broken("after the export"));
  seed([], start);
  assert.deepEqual(directory.aside(), { count: 1, newest: { why: "wrong: after the export", at: start + 1 } });
});

test("an event with a name too long is set aside, later ones are taken", async (t) => {
  const { directory, seed, take, names } = scene(t);
  const long = `cn=${"x".repeat(4_000)}`;
  const at = (dn: string): StoredEntry => ({ uuid: dn, dn, attributes: new Map() });
  seed([at("ou=x"), at(`${long},ou=x`)]);
  await take(
    message("1", { entryDN: ["ou=x"] }, { entryDN: [`ou=${"y".repeat(5_000)}`] }),
    message("2", null, named("a")),
  );
  assert.equal(directory.aside().count, 1);
  assert.deepEqual(names(), ["cn=a,dc=campus", `${long},ou=x`, "ou=x"]);
});

test("a full disk takes and loses nothing: events are taken with room", async (t) => {
  const { database, seed, take, texts, directory, clock } = scene(t);
  seed([]);
  const stop = new AbortController();
  const seen: SourceChange[] = [];
  const following = (async () => {
    for await (const change of directory.changes(stop.signal)) seen.push(change);
  })();
  await clock.advance(0);
  const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
  database.exec(`PRAGMA max_page_count = ${pages}`);
  const events = Array.from({ length: 40 }, (_, index) =>
    message(`${index}`, null, named(`${index}`, { description: ["x".repeat(2_000)] })),
  );
  await assert.rejects(take(...events), /full/);
  assert.deepEqual(texts(), {});
  database.exec("PRAGMA max_page_count = 1000000");
  await take(...events);
  await clock.advance(0);
  assert.equal(Object.keys(texts()).length, 40);
  assert.deepEqual(
    seen.map((change) => (change.kind === "change" ? change.put.length : change.kind)),
    ["refresh", 40],
  );
  stop.abort();
  await following;
});

test("a file deleted while it is open takes no more, and names the remedy", async (t) => {
  const { database, directory, seed, take } = scene(t);
  seed([]);
  rmSync(database.location() ?? "");
  await assert.rejects(
    take(message("1", null, named("a"))),
    /was deleted or replaced while it was open: start this host again/,
  );
  await assert.rejects(directory.changes(never)[Symbol.asyncIterator]().next(), /deleted or replaced/);
});

test("the journal is bounded, and a seed names the time it lacks", async (t) => {
  const { database, seed, take, clock } = scene(t);
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
  const events = (from: number, to: number, size = 0) =>
    Array.from({ length: to - from }, (_, index) =>
      message(`${from + index}`, named("a", { description: ["x".repeat(size)] }), null),
    );
  await take(...events(0, keptLimit.events));
  await clock.advance(1_000);
  await take(...events(keptLimit.events, keptLimit.events + 5));
  assert.equal(count("event"), keptLimit.events);
  assert.equal(count("heard"), keptLimit.events + 5);
  assert.equal(seed([], start).keptSince, start + 1);
  database.exec(`UPDATE sqlite_sequence SET seq = ${2 * rememberedLimit} WHERE name = 'heard'`);
  await take(...events(20_000, 20_008, 8_000_000));
  assert.equal(count("heard"), 8);
  await take(message("light", null, named("a")));
  assert.equal(count("event"), 8 + 1);
  await take(...events(20_008, 20_010, 8_000_000));
  assert.ok(count("event") < 11, "the first of the heavy ones are forgotten");
});
