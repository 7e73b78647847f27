import assert from "node:assert/strict";
import { test } from "node:test";
import { stored } from "../../test/fixtures/entry.ts";
import {
  cells,
  device,
  devices,
  isActive,
  isEqual,
  kinds,
  midnight,
  network,
  scripted,
  state,
  whole,
} from "../../test/fixtures/transcriber.ts";
import { until } from "../../test/until.ts";
import { hostKey, queueName } from "../core/stream/routing.ts";
import type { Broker } from "../ports/broker.ts";
import type { DirectorySource, KnownEntry } from "../ports/directory.ts";

test("a new host gets its table in parts and then finds it equal", async (context) => {
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

test("a change is published as the changed rows alone, in one message", async (context) => {
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

test("entries that may have one name are logged once and reported, the oldest first", async (context) => {
  const world = network(context);
  const room = (uuid: string, name: string) => stored(uuid, `roomId=${name},dc=x`);
  const directory = world.directory([room("1", "lab")]);
  const civet = world.start("civet", directory);
  const host = await world.host("dhcp1");
  await until(() => isEqual(host));
  assert.equal(civet.state().namesakes, undefined);
  directory.put(room("2", "LAB"), device("a", "1"));
  await until(() => host.table.size === 1);
  directory.put(device("b", "2"));
  await until(() => host.table.size === 2);
  const line =
    "roomId=lab,dc=x and roomId=LAB,dc=x may be one name, by a rule that is unknown here: any other spelling means roomId=lab,dc=x, the oldest";
  assert.deepEqual(civet.state().namesakes, [line]);
  assert.deepEqual(
    world.log.filter((one) => one.includes("one name")),
    [`civet: the directory: ${line}`],
  );
  directory.put(
    ...Array.from({ length: 6 }, (_, index) =>
      room(`${index + 3}`, ["lAB", "LaB", "LAb", "Lab", "lAb", "laB"][index] ?? ""),
    ),
  );
  directory.put(device("c", "3"));
  await until(() => host.table.size === 3);
  assert.match(
    world.log.join("\n"),
    /roomId=lab,dc=x and roomId=LAB,dc=x and roomId=lAB,dc=x and 5 more may be one name/,
  );
  assert.equal(civet.state().namesakes?.length, 1);
});

test("a ban begins and ends by the clock, with the time in its marks", async (context) => {
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
  assert.ok(world.log.includes("civet: dhcp: 1 row changed by the clock"));
});

test("a change above the limit of a message is applied as one", async (context) => {
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

test("nothing waits while the broker is away, and a digest on its return repairs", async (context) => {
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

test("before the first refresh there is no candidate, and no answer to hosts", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.table.set("kept", '{"ip":"9"}');
  const source = scripted(
    { kind: "trouble", why: "the server is away" },
    { kind: "change", put: [device("a", "1")], removed: [], state: state(1) },
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

test("a source that throws is followed again", async (context) => {
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

test("a source can read the entries that the mirror holds", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1")]);
  let knownAt: KnownEntry = () => assert.fail("nothing was told");
  const asking: DirectorySource = {
    ...directory,
    changes(signal, known = knownAt) {
      knownAt = known;
      return directory.changes(signal);
    },
  };
  const civet = world.start("civet", asking);
  await until(() => civet.state().entries === 1);
  const { attributes } = device("a", "2");
  directory.put({ ...device("a", "2"), attributes });
  await until(() => knownAt("a")?.attributes === attributes);
  assert.equal(knownAt("b"), undefined);
});

test("every queue of the config is declared, also of hosts never up", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory([device("a", "1")]));
  await until(() => isActive(civet));
  await until(() => world.hub.look(queueName("dhcp2", "dhcp")).length === 1);
  await world.hub.connect().publish(hostKey("dhcp", "dhcp2"), "x");
  assert.equal(world.hub.look(queueName("dhcp2", "dhcp")).length, 2);
});
