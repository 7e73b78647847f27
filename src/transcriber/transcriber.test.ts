import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { until } from "../../test/until.ts";
import { virtualClock } from "../../test/virtual-clock.ts";
import { memoryHub } from "../brokers/memory.ts";
import type { StoredEntry } from "../core/entry.ts";
import { type Followed, follow, type Want } from "../core/follow.ts";
import type { ReportMessage } from "../core/report.ts";
import { hostKey, queueName, queueOf, serviceKey } from "../core/routing.ts";
import type { CellChange } from "../core/row.ts";
import { type Table as Service, service } from "../core/service.ts";
import { type StreamMessage, streamMessage } from "../core/stream.ts";
import { Table } from "../core/table.ts";
import { memoryDirectory } from "../directories/memory.ts";
import type { Broker } from "../ports/broker.ts";
import type { DirectorySource, SourceChange } from "../ports/directory.ts";
import { stored } from "./entry.fixture.ts";
import { type Transcriber, transcribe } from "./transcriber.ts";

const midnight = Date.UTC(2026, 5, 1);
const config = {
  timezone: "UTC",
  hosts: new Map([
    ["dhcp1", ["dhcp"]],
    ["dhcp2", ["dhcp"]],
    ["civet", ["event"]],
    ["genet", ["event"]],
  ]),
};
const { table: dhcp } = service({
  row: z.object({ ip: z.string(), note: z.string().optional() }),
  unique: ["ip"],
  select(machine, directory) {
    const banned = machine.has("until") && directory.during(machine.date("from"), machine.date("until"));
    if (!machine.is("device") || banned) return;
    return { ip: machine.one("ip"), note: machine.maybe("note") };
  },
  async run() {},
});
const device = (name: string, ip: string, more = {}): StoredEntry =>
  stored(name, `cn=${name},dc=x`, { objectClass: "device", ip, ...more });
const devices = (count: number): StoredEntry[] =>
  Array.from({ length: count }, (_, index) => device(`m${index}`, `${index}`));

interface Follower {
  readonly table: Table;
  readonly heard: StreamMessage[];
  followed: Followed;
  ask(want: Want): void;
}

/** A network in memory. What a test starts in it is stopped at its end. */
function network(context: TestContext) {
  const clock = virtualClock(midnight);
  const hub = memoryHub();
  const log: string[] = [];
  const reports: ReportMessage[] = [];
  const ends: (() => Promise<void>)[] = [];
  context.after(async () => {
    for (const end of ends) await end();
  });

  /** A transcriber, with what stops it. */
  function start(
    host: string,
    source: DirectorySource,
    broker: Broker = hub.connect(),
  ): Transcriber & { stop(): Promise<void> } {
    const stopping = new AbortController();
    const transcriber = transcribe({
      ...{ host, config, source, broker, clock, signal: stopping.signal },
      services: new Map([["dhcp", dhcp as Service]]),
      codes: new Map([["dhcp", "c0de"]]),
      random: () => (host === "civet" ? 0.5 : 0.6),
      log: (line) => log.push(`${host}: ${line}`),
      onReport: (report) => reports.push(report),
    });
    const stop = async (): Promise<void> => {
      stopping.abort();
      await transcriber.done;
    };
    ends.push(stop);
    return { ...transcriber, stop };
  }

  /** A host that follows the stream with the real rules, and stores nothing. */
  async function host(name: string): Promise<Follower> {
    const broker = hub.connect();
    const say = (message: object): void =>
      void broker.publish(
        serviceKey("report"),
        JSON.stringify({ trigger: 1, host: name, service: "dhcp", ...message }),
      );
    let staged: CellChange[] = [];
    const follower: Follower = {
      table: new Table("dhcp"),
      heard: [],
      followed: {},
      ask: (want) => say({ kind: "ask", want }),
    };
    await broker.declare([queueOf(name, "dhcp", "table")]);
    await broker.consume(
      queueName(name, "dhcp"),
      (delivery) => {
        const message = streamMessage.parse(JSON.parse(new TextDecoder().decode(delivery.body)));
        follower.heard.push(message);
        const { followed, write, ask, refused } = follow(follower.followed, message, follower.table.digest);
        follower.followed = followed;
        if (write?.kind === "stage") staged = write.first ? [...write.rows] : [...staged, ...write.rows];
        if (write?.kind === "rows") follower.table.apply(write.staged ? [...staged, ...write.rows] : write.rows);
        if (write?.kind === "part") follower.table.replace(write.part);
        if (ask) follower.ask(ask);
        if (refused && followed.mark) {
          const { epoch, asOf } = followed.mark;
          say({ kind: "refusal", epoch, asOf, refused: message.epoch, because: refused });
        }
        delivery.ack();
      },
      { prefetch: 10 },
    );
    ends.push(() => broker.close());
    return follower;
  }
  return {
    clock,
    hub,
    log,
    reports,
    start,
    host,
    directory: (entries: StoredEntry[]) => memoryDirectory(entries, clock),
  };
}

/** A directory that says just what a test has it say. */
function scripted(...first: SourceChange[]): DirectorySource & { say(change: SourceChange): void } {
  const { readable, writable } = new TransformStream<SourceChange, SourceChange>({}, { highWaterMark: 100 });
  const writer = writable.getWriter();
  for (const change of first) void writer.write(change);
  return {
    async *changes(signal) {
      signal.addEventListener("abort", () => void writer.close());
      yield* readable;
    },
    refresh() {},
    say: (change) => void writer.write(change),
  };
}
const state = (second: number): string[] => [`2026060100000${second}.000000Z#000000#001#000000`];
const whole = (second: number, entries: StoredEntry[]): SourceChange => ({
  kind: "refresh",
  entries,
  state: state(second),
});

const cells = ({ table }: Follower) => Object.fromEntries([...table.entries()].sort());
const kinds = ({ heard }: Follower) => heard.map(({ kind, seq }) => `${kind} ${seq}`);
const isEqual = ({ followed: { mark, equal } }: Follower): boolean =>
  mark !== undefined && equal?.epoch === mark.epoch && equal.seq === mark.seq;
const isActive = (transcriber: Transcriber) => transcriber.state().epoch !== undefined;

test("a new host gets its table in parts, and it is shown to be equal", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory(devices(1_200)));
  await until(() => isActive(civet));
  world.hub.purge(queueName("dhcp1", "dhcp"));
  const host = await world.host("dhcp1");
  host.ask("digest");
  await until(() => isEqual(host));
  assert.equal(host.table.size, 1_200);
  assert.ok(host.heard.filter(({ kind }) => kind === "part").length >= 3);
  assert.deepEqual(civet.state(), {
    ...{ active: true, epoch: host.followed.mark?.epoch, complete: true, entries: 1_200 },
    ...{ trouble: undefined, troubleSince: undefined },
    services: { dhcp: { rows: 1_200, refused: 0, code: "c0de", behind: false } },
  });
});

test("a change tells only the rows that differ, in one message", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1"), device("b", "2")]);
  const host = await world.host("dhcp1");
  world.start("civet", directory);
  await until(() => isEqual(host) && host.table.size === 2);
  host.heard.length = 0;
  directory.put(device("a", "2"), device("b", "1"));
  directory.put(device("b", "1", { unread: "of no service" }));
  directory.remove("a");
  await until(() => host.table.size === 1);
  assert.deepEqual(kinds(host), ["rows 1", "rows 2"]);
  assert.deepEqual(host.heard[0]?.kind === "rows" && host.heard[0].rows, [
    ["a", '{"ip":"2"}'],
    ["b", '{"ip":"1"}'],
  ]);
  assert.deepEqual(cells(host), { b: '{"ip":"1"}' });
});

test("a ban begins and ends by the clock, and each digest says as of when", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  world.start("civet", world.directory([device("a", "1", { from: "20260601001000Z", until: "20260601002000Z" })]));
  await until(() => isEqual(host) && host.table.size === 1);
  await world.clock.advance(10 * 60_000 - 1);
  assert.equal(host.table.size, 1);
  await world.clock.advance(1);
  await until(() => host.table.size === 0);
  assert.equal(host.followed.mark?.asOf.clock, midnight + 10 * 60_000);
  await world.clock.advance(10 * 60_000);
  await until(() => host.table.size === 1 && isEqual(host));
  assert.ok(world.log.includes("civet: dhcp: 1 row moved by the clock"));
});

test("a change above the limit of a message is stored as one", async (context) => {
  const world = network(context);
  const directory = world.directory([]);
  const host = await world.host("dhcp1");
  const civet = world.start("civet", directory);
  await until(() => isActive(civet) && isEqual(host));
  directory.put(
    ...Array.from({ length: 20 }, (_, index) => device(`m${index}`, `${index}`, { note: "x".repeat(60_000) })),
  );
  await until(() => host.table.size === 20);
  assert.deepEqual(kinds(host), ["digest 0", "rows 1", "rows 1", "rows 1"]);
});

test("when the active transcriber stops another takes over, above its epoch, with what changed meanwhile", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1")]);
  const host = await world.host("dhcp1");
  const civet = world.start("civet", directory);
  const genet = world.start("genet", directory);
  await until(() => isEqual(host) && host.table.size === 1 && genet.state().complete);
  const before = host.followed.mark?.epoch ?? 0;
  assert.deepEqual([civet.state().active, genet.state().active], [true, false]);
  await world.clock.advance(1);
  await civet.stop();
  directory.put(device("b", "2"));
  await until(() => genet.state().active && host.table.size === 2);
  await world.clock.advance(60_000);
  await until(() => isEqual(host));
  assert.ok((host.followed.mark?.epoch ?? 0) > before);
  assert.equal(civet.state().epoch, undefined);
});

test("one that loses the election and wins it again at once begins an epoch, a second after its last", async (context) => {
  const world = network(context);
  const broker = world.hub.connect();
  let elect = (_active: boolean): void => {};
  const fickle: Broker = {
    ...broker,
    async stand(_, changed) {
      elect = changed;
      return { close: async () => {} };
    },
  };
  const host = await world.host("dhcp1");
  const directory = world.directory([device("a", "1")]);
  const civet = world.start("civet", directory, fickle);
  await until(() => civet.state().complete && world.hub.look("trigger-civet-report"));
  elect(true);
  await until(() => isEqual(host) && host.table.size === 1);
  const first = civet.state().epoch ?? 0;
  elect(false);
  directory.put(device("b", "2"));
  await until(() => civet.state().entries === 2);
  elect(true);
  assert.equal(civet.state().epoch, undefined);
  await world.clock.advance(1_000);
  await until(() => isEqual(host) && host.table.size === 2);
  assert.ok((civet.state().epoch ?? 0) > first);
});

test("a host that holds a higher epoch is heard: the next epoch is above it", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  const epoch = midnight * 1000 + 3_600_000_000;
  host.followed = { mark: { epoch, seq: 7, asOf: { state: [], clock: midnight } } };
  world.start("civet", scripted(whole(1, [device("a", "1")])));
  await until(() => host.heard.length > 0);
  await world.clock.advance(1_000);
  await until(() => isEqual(host) && host.table.size === 1);
  assert.ok((host.followed.mark?.epoch ?? 0) > epoch);
});

test("a mirror that lags waits for what hosts have, and says nothing of a roll back", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.followed = { mark: { epoch: 1, seq: 7, asOf: { state: state(5), clock: midnight } } };
  const source = scripted(whole(1, []));
  const civet = world.start("civet", source);
  await until(() => isActive(civet) && host.heard.length > 0);
  await world.clock.advance(59_000);
  assert.deepEqual(host.table.size, 0);
  source.say({ kind: "change", put: [device("a", "1")], gone: [], state: state(6) });
  await until(() => isEqual(host) && host.table.size === 1);
  await world.clock.advance(120_000);
  assert.ok(host.heard.every(({ rolledBack }) => !rolledBack));
});

test("a directory that stays behind what hosts have was restored from a backup: a new epoch says so", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.followed = { mark: { epoch: 1, seq: 7, asOf: { state: state(5), clock: midnight } } };
  host.table.set("gone", '{"ip":"9"}');
  const civet = world.start("civet", scripted(whole(1, [device("a", "1")])));
  await until(() => isActive(civet) && host.heard.length > 0);
  await world.clock.advance(60_000);
  await until(() => isEqual(host));
  assert.deepEqual(cells(host), { a: '{"ip":"1"}' });
  assert.deepEqual(host.followed.mark?.asOf.state, state(1));
  assert.ok(host.heard.some(({ rolledBack }) => rolledBack));
});

test("a directory that cannot be read was not restored from a backup: hosts keep what is newer until it can be", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.followed = { mark: { epoch: 1, seq: 7, asOf: { state: state(5), clock: midnight } } };
  host.table.set("new", '{"ip":"9"}');
  const source = scripted(whole(1, [device("a", "1")]));
  const civet = world.start("civet", source);
  await until(() => isActive(civet) && host.heard.length > 0);
  source.say({ kind: "trouble", why: "its cable is cut" });
  await until(() => civet.state().trouble !== undefined);
  for (let minutes = 0; minutes < 10; minutes++) await world.clock.advance(60_000);
  assert.deepEqual(cells(host), { new: '{"ip":"9"}' });
  assert.ok(host.heard.every(({ rolledBack }) => !rolledBack));
  source.say(whole(6, [device("a", "1"), device("b", "2")]));
  await until(() => isEqual(host) && host.table.size === 2);
  await world.clock.advance(120_000);
  assert.ok(host.heard.every(({ rolledBack }) => !rolledBack));
});

test("while the broker is away nothing waits to be sent; on its return the digest repairs what was missed", async (context) => {
  const world = network(context);
  const broker = world.hub.connect();
  let away = false;
  const absent = async (): Promise<never> => {
    throw new Error("the broker is away");
  };
  const flaky: Broker = {
    ...broker,
    publish: (...message) => (away ? absent() : broker.publish(...message)),
    declare: (queues) => (away ? absent() : broker.declare(queues)),
  };
  const directory = world.directory([device("a", "1")]);
  const host = await world.host("dhcp1");
  const civet = world.start("civet", directory, flaky);
  await until(() => isEqual(host) && host.table.size === 1);
  away = true;
  for (let count = 0; count < 50; count++) directory.put(device(`m${count}`, `ip${count}`));
  directory.remove("a");
  await until(() => civet.state().services.dhcp?.behind && civet.state().entries === 50);
  await world.clock.advance(60_000);
  assert.equal(world.log.filter((line) => line.includes("not published")).length, 1);
  away = false;
  host.heard.length = 0;
  await world.clock.advance(10_000);
  await until(() => isEqual(host) && host.table.size === 50);
  assert.ok(host.heard.every(({ kind }) => kind !== "rows"));
  assert.equal(civet.state().services.dhcp?.behind, false);
});

test("before the first refresh nobody stands for election, and nothing is said, not even to a host that asks", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.table.set("kept", '{"ip":"9"}');
  const source = scripted(
    { kind: "trouble", why: "the server is away" },
    { kind: "change", put: [device("a", "1")], gone: [], state: state(1) },
  );
  const civet = world.start("civet", source);
  host.ask("digest");
  host.ask({ from: 0, to: 2 ** 32 });
  await until(() => civet.state().entries === 1);
  await world.clock.advance(180_000);
  assert.equal(civet.state().active, false);
  assert.deepEqual(host.heard, []);
  assert.equal(civet.state().trouble, "the server is away");
  assert.equal(civet.state().troubleSince, midnight);
  source.say(whole(2, [device("a", "1")]));
  await until(() => isEqual(host) && host.table.size === 1);
  assert.equal(civet.state().trouble, undefined);
});

test("a directory that throws is followed again", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1")]);
  let failures = 2;
  const broken: DirectorySource = {
    ...directory,
    changes(signal) {
      if (failures-- > 0) throw new Error("no such file");
      return directory.changes(signal);
    },
  };
  const host = await world.host("dhcp1");
  const civet = world.start("civet", broken);
  await until(() => civet.state().trouble === "no such file");
  await world.clock.advance(1_000);
  await until(() => isEqual(host) && host.table.size === 1);
  assert.equal(civet.state().trouble, undefined);
});

test("nothing that comes in stops it: what is malformed is said once", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory([device("a", "1")]));
  await until(() => isActive(civet));
  const broker = world.hub.connect();
  const ask = { trigger: 1, kind: "ask", host: "dhcp1", service: "dhcp", want: "digest" };
  const reports = [
    ...["", "null", "[]", '"\\ud800"', "{", Buffer.from([0xff, 0xfe])],
    ...[
      { ...ask, trigger: 2 },
      { ...ask, host: "nobody" },
      { ...ask, service: "dns" },
      { ...ask, want: { from: 5, to: 5 } },
    ],
    ...[
      { ...ask, want: { from: -1, to: 2 ** 33 } },
      { ...ask, kind: "order" },
      { kind: "__proto__" },
      "x".repeat(9 * 1024 * 1024),
    ],
    {
      trigger: 1,
      kind: "refusal",
      host: "dhcp1",
      service: "dhcp",
      epoch: 2 ** 53 - 1,
      asOf: { state: ["no csn"], clock: 1e300 },
      refused: 1,
      because: "epoch",
    },
    { trigger: 1, kind: "report", host: "nobody", at: 0, services: {} },
  ];
  const events = [
    "[]",
    '["hash", null, null, 1]',
    '["hash", {"cn": "text"}, null, 1]',
    '["hash", {"cn": ["a"]}, null, 1]',
    '["hash", {"entryDN": [{"base64": "!"}]}, null, 1]',
    '{"a":1}',
    "\u0000",
  ];
  const bytes = (body: unknown) =>
    typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  for (const body of [...reports, ...reports]) await broker.publish(serviceKey("report"), bytes(body));
  for (const body of [...events, ...events]) await broker.publish(serviceKey("event"), bytes(body));
  await until(() => world.hub.look("trigger-civet-report").length + world.hub.look("trigger-civet-event").length === 0);
  const lines = world.log.filter((line) => line.includes("is of no use"));
  assert.equal(new Set(lines).size, lines.length);
  assert.ok(lines.some((line) => line.includes("not an event: before.cn: ")));
  const host = await world.host("dhcp1");
  host.ask("digest");
  await until(() => isEqual(host) && host.table.size === 1);
});

test("an event says who and why, whether it comes before the change or after", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1"), device("b", "2")]);
  const civet = world.start("civet", directory);
  await until(() => isActive(civet));
  await world.clock.advance(60_000);
  const broker = world.hub.connect();
  const event = (attributes: object, additional: unknown) =>
    broker.publish(serviceKey("event"), JSON.stringify(["h", attributes, null, additional]));
  await event({ entryDN: ["CN=a, dc=x"] }, { who: "alice", why: "new\nlaptop" });
  await until(() => world.hub.look("trigger-civet-event").length === 0);
  directory.put(device("a", "7"));
  directory.put(device("b", "8"));
  await until(() => world.log.at(-1)?.includes("moved by cn=b"));
  await event({ ENTRYdn: ["CN=B,dc=x"] }, { who: "bob", why: 7, more: {} });
  await until(() => world.log.at(-1)?.includes("bob"));
  assert.deepEqual(world.log.slice(-3), [
    "civet: dhcp: 1 row moved by cn=a,dc=x (alice: new laptop)",
    "civet: dhcp: 1 row moved by cn=b,dc=x",
    "civet: cn=b,dc=x was changed by bob",
  ]);
});

test("reports are handed on, and their clock holds the transcriber's back", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  const directory = world.directory([device("a", "1", { until: "20260601000100Z" })]);
  const civet = world.start("civet", directory);
  await until(() => isActive(civet));
  const mark = { epoch: 5, seq: 1, asOf: { state: [], clock: midnight + 90_000 } };
  const report = {
    ...{
      code: "c",
      form: "table",
      rows: 0,
      stored: mark,
      proved: false,
      doubt: false,
      reloads: [],
      owed: 0,
      failing: false,
    },
    ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0 },
  };
  const broker = world.hub.connect();
  await broker.publish(
    serviceKey("report"),
    JSON.stringify({ trigger: 1, kind: "report", host: "dhcp1", at: 0, services: { dhcp: report } }),
  );
  await until(() => world.reports.length === 1);
  directory.put(device("b", "2"));
  await until(() => host.table.size === 2);
  assert.equal(host.followed.mark?.asOf.clock, midnight + 90_000);
});

test("every queue of the config is there, also of hosts that were never up", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory([device("a", "1")]));
  await until(() => isActive(civet));
  await until(() => world.hub.look(queueName("dhcp2", "dhcp")).length === 1);
  await world.hub.connect().publish(hostKey("dhcp", "dhcp2"), "x");
  assert.equal(world.hub.look(queueName("dhcp2", "dhcp")).length, 2);
});
