import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cells,
  device,
  isActive,
  isEqual,
  midnight,
  network,
  scripted,
  state,
  whole,
} from "../../test/fixtures/transcriber.ts";
import { until } from "../../test/until.ts";
import type { Broker } from "../ports/broker.ts";

test("a standby takes over above the epoch of a stopped transcriber, with newer changes", async (context) => {
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

test("a candidate re-elected at once begins its next epoch a second after its last", async (context) => {
  const world = network(context);
  const broker = world.hub.connect();
  let elect = (_active: boolean): void => {};
  const fickle: Broker = {
    ...broker,
    async campaign(_, changed) {
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

test("the next epoch is above the one that a host holds", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  const epoch = midnight * 1000 + 200_000_000;
  host.followed = { mark: { epoch, seq: 7, asOf: { state: [], clock: midnight } } };
  world.start("civet", scripted(whole(1, [device("a", "1")])));
  await until(() => host.heard.length > 0);
  await world.clock.advance(1_000);
  await until(() => isEqual(host) && host.table.size === 1);
  assert.ok((host.followed.mark?.epoch ?? 0) > epoch);
});

test("an epoch beyond any clock stops no other host, and its host is served", async (context) => {
  const world = network(context);
  const well = await world.host("dhcp1");
  const odd = await world.host("dhcp2");
  odd.followed = { mark: { epoch: 2 ** 52 - 2 ** 40, seq: 7, asOf: { state: [], clock: midnight } } };
  const directory = world.directory([device("a", "1")]);
  const civet = world.start("civet", directory);
  const genet = world.start("genet", directory);
  await until(() => isEqual(well) && isEqual(odd) && odd.table.size === 1);
  await civet.stop();
  directory.put(device("b", "2"));
  await until(() => genet.state().active && [well, odd].every((host) => host.table.size === 2));
  directory.put(device("c", "3"));
  await until(() => well.table.size === 3 && odd.table.size === 3);
  assert.ok((well.followed.mark?.epoch ?? 0) < (midnight + 60_000) * 1000);
  assert.deepEqual(Object.keys(genet.state().ownEpochs ?? {}), ["dhcp2"]);
});

test("after a clock a year ahead hosts are served at once, in higher epochs", async (context) => {
  const world = network(context);
  const hosts = [await world.host("dhcp1"), await world.host("dhcp2")];
  const epoch = (midnight + 365 * 24 * 3_600_000) * 1000;
  for (const host of hosts) host.followed = { mark: { epoch, seq: 7, asOf: { state: [], clock: midnight } } };
  const directory = world.directory([device("a", "1")]);
  const civet = world.start("civet", directory);
  await until(() => isActive(civet) && hosts.every((host) => isEqual(host) && host.table.size === 1));
  directory.put(device("b", "2"));
  await until(() => hosts.every((host) => host.table.size === 2));
  for (const { heard, followed } of hosts) {
    assert.ok((followed.mark?.epoch ?? 0) > epoch);
    assert.ok(heard.some((message) => message.kind === "rows" && message.epoch > epoch));
  }
});

test("a lagging mirror waits for the state of hosts and announces no rollback", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  host.followed = { mark: { epoch: 1, seq: 7, asOf: { state: state(5), clock: midnight } } };
  const source = scripted(whole(1, []));
  const civet = world.start("civet", source);
  await until(() => isActive(civet) && host.heard.length > 0);
  await world.clock.advance(59_000);
  assert.deepEqual(host.table.size, 0);
  source.say({ kind: "change", put: [device("a", "1")], removed: [], state: state(6) });
  await until(() => isEqual(host) && host.table.size === 1);
  await world.clock.advance(120_000);
  assert.ok(host.heard.every(({ rolledBack }) => !rolledBack));
});

test("a directory that stays behind its hosts is announced as rolled back", async (context) => {
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

test("an unreadable directory is not announced as rolled back", async (context) => {
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
