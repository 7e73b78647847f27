import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { Hostname, Ipv4, Mac } from "../../../src/core/service/columns.ts";
import type { RunResult, Table } from "../../../src/core/service/service.ts";
import { Away } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import type { KeaRowBy } from "../../../src/services/kea/row.ts";
import { kea } from "../../../src/services/kea.ts";
import { hook, type RunningKea, startKea } from "../../servers/kea.ts";
import { anyClient, anything } from "../../services/hostile.ts";
import { distinct, sceneOn, sorted, tableOf } from "../../services/scene.ts";

const a = { mac: "02:00:00:00:00:0a", ip: "10.9.0.10", name: "pc-a" };
const b = { mac: "02:00:00:00:00:0b", ip: "10.9.0.11", name: "pc-b" };
/** The reason for which a row is held. */
const whyOf = (result: RunResult, key: string): string => result?.held?.find((one) => one.key === key)?.why ?? "";
const well = { refused: [], held: [], serving: true };

/** The number of configurations that Kea has received. */
const sets = (daemon: RunningKea): number =>
  daemon.log().match(/COMMAND_RECEIVED Received command 'config-set'/g)?.length ?? 0;

/** The reservations written for Kea's next start. */
const kept = (daemon: RunningKea): string[] =>
  JSON.parse(readFileSync(daemon.file, "utf8")).Dhcp4.subnet4[0].reservations.map(
    (one: Record<string, string>) => `${one["hw-address"]} ${one["ip-address"]}`,
  );

test("real clients follow their rows through changes, renames, swaps and removals", async () => {
  await using daemon = await startKea({ "hooks-libraries": [{ library: hook("lease_cmds") }] });
  const on = sceneOn(kea({ socket: daemon.socket, freeLeases: true }), realMachine());
  assert.deepEqual(await on.run({ a, b }, { whole: true }), well);
  assert.deepEqual(await daemon.lease(a.mac), { ip: a.ip, hostname: a.name });

  await on.run({ a: { ...a, ip: "10.9.0.20", name: "renamed" }, b });
  assert.deepEqual(await daemon.lease(a.mac), { ip: "10.9.0.20", hostname: "renamed" });

  // Two machines swap their addresses: one configuration, and both get their new ones.
  const before = sets(daemon);
  await on.run({ a: { ...a, ip: b.ip }, b: { ...b, ip: "10.9.0.20" } });
  assert.equal(sets(daemon), before + 1);
  assert.equal((await daemon.lease(a.mac))?.ip, b.ip);
  assert.equal((await daemon.lease(b.mac))?.ip, "10.9.0.20");

  // Another card takes the place of the first, whose lease has not expired.
  const card = { ...a, mac: "02:00:00:00:00:0c", ip: b.ip };
  await on.run({ a: card, b: { ...b, ip: "10.9.0.20" } });
  assert.deepEqual(await daemon.lease(card.mac), { ip: b.ip, hostname: a.name });
  assert.match((await daemon.lease(a.mac))?.ip ?? "", /^10\.9\.200\./);

  await on.run({ b: { ...b, ip: "10.9.0.20" } });
  assert.match((await daemon.lease(card.mac))?.ip ?? "", /^10\.9\.200\./);
  assert.deepEqual(kept(daemon), [`${b.mac} 10.9.0.20`]);
});

test("foreign reservations stay, hold the rows they conflict with, and can be adopted", async () => {
  const hand = [
    { "hw-address": a.mac, "ip-address": "10.9.0.99", "option-data": [{ name: "routers", data: "10.9.0.1" }] },
    { "client-id": "01:02:03:04", "ip-address": b.ip },
    { "hw-address": "02:00:00:00:00:ff", "ip-address": "10.9.0.98" },
  ];
  await using daemon = await startKea({}, { reservations: hand });
  const on = sceneOn(kea({ socket: daemon.socket }), realMachine());
  const c = { mac: "02:00:00:00:00:0c", ip: "10.9.0.12" };
  const result = await on.run({ a, b, c }, { whole: true });
  assert.deepEqual(result?.held?.map(({ key }) => key).sort(), ["a", "b"]);
  assert.match(whyOf(result, "a"), /02:00:00:00:00:0a has .*10\.9\.0\.99.*trigger adopt/);
  assert.match(whyOf(result, "b"), /10\.9\.0\.11 is reserved for client-id 01:02:03:04, which trigger did not write/);
  assert.equal((await daemon.lease(c.mac))?.ip, c.ip);
  assert.equal((await daemon.lease(a.mac))?.ip, "10.9.0.99");
  assert.equal((await on.observe()).length, 4);

  on.adopt(a.mac);
  on.adopt("client-id 01:02:03:04");
  assert.deepEqual(await on.run({ a, b, c }, { whole: true }), well);
  assert.deepEqual(
    (await on.observe()).map(({ ip }) => ip),
    [a.ip, b.ip, c.ip, "10.9.0.98"],
  );
});

test("a hand edit is observed and repaired, and another full run sends Kea nothing", async () => {
  await using daemon = await startKea();
  const on = sceneOn(kea({ socket: daemon.socket }), realMachine());
  await on.run({ a, b }, { whole: true });
  const running = await daemon.running();
  const [subnet] = running.Dhcp4.subnet4;
  assert.ok(subnet);
  subnet.reservations = [
    { "hw-address": a.mac, "ip-address": "10.9.0.77", "option-data": [{ name: "routers", data: "10.9.0.1" }] },
  ];
  assert.equal((await daemon.command("config-set", running)).result, 0);
  const [seen] = await on.observe();
  assert.equal(seen?.mac, a.mac);
  assert.equal(seen?.ip, "10.9.0.77");
  assert.ok(seen?.["option-data"], "the option given by hand is not seen");

  await on.run({ a, b }, { whole: true });
  assert.deepEqual(await on.observe(), [a, b]);
  const before = sets(daemon);
  assert.deepEqual(await on.run({ a, b }, { whole: true }), well);
  assert.equal(sets(daemon), before);
});

test("rows that Kea refuses are named, and the others are applied", async () => {
  const broadcast = { id: 8, subnet: "255.255.255.0/24" }; // Kea itself refuses its last address
  await using daemon = await startKea({}, { more: [broadcast] });
  // The columns of the service refuse that address first.
  const anyRow = z.object({ mac: Mac, ip: Ipv4, name: Hostname.optional() });
  const { table } = kea({ socket: daemon.socket });
  const on = sceneOn({ table: { ...table, row: anyRow } as unknown as Table }, realMachine());
  const many = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [`k${n}`, { mac: `02:00:00:00:01:${n.toString(16)}`, ip: `10.9.1.${n}` }]),
  );
  const all = await on.run({
    ...many,
    a,
    wrong: { ...b, ip: "255.255.255.255" },
    nowhere: { mac: "02:00:00:00:00:0d", ip: "192.0.2.7" },
  });
  const refused = new Map(all?.refused?.map(({ key, why }) => [key, why]));
  assert.deepEqual([...refused.keys()].sort(), ["nowhere", "wrong"]);
  assert.match(refused.get("nowhere") ?? "", /192\.0\.2\.7 is in no subnet of this Kea/);
  assert.match(refused.get("wrong") ?? "", /must not make reservation/);
  assert.equal((await on.observe()).length, 41);
  assert.equal((await daemon.lease(a.mac))?.ip, a.ip);
});

test("a Kea that is killed or hangs is away, and complete on its return", async () => {
  await using daemon = await startKea();
  const on = sceneOn(kea({ socket: daemon.socket }), realMachine());
  await on.run({ a }, { whole: true });
  await daemon.kill("SIGKILL");
  await assert.rejects(on.run({ a, b }), Away);
  await daemon.start();
  assert.deepEqual(await on.observe(), [a]);
  assert.deepEqual(await on.run({ a, b }, { whole: true, interrupted: true }), well);
  assert.equal((await daemon.lease(b.mac))?.ip, b.ip);

  daemon.pause(true);
  await assert.rejects(on.run({ a }), Away);
  daemon.pause(false);
  assert.deepEqual(await on.run({ a }, { interrupted: true }), well);
  assert.deepEqual(kept(daemon), [`${a.mac} ${a.ip}`]);
});

test("an option makes the reservations global", async () => {
  await using daemon = await startKea({ "reservations-global": true });
  const on = sceneOn(kea({ socket: daemon.socket, where: "global" }), realMachine());
  assert.deepEqual(await on.run({ a }, { whole: true }), well);
  assert.deepEqual(await daemon.lease(a.mac), { ip: a.ip, hostname: a.name });
  assert.equal(JSON.parse(readFileSync(daemon.file, "utf8")).Dhcp4.reservations.length, 1);
  assert.deepEqual(kept(daemon), []);
});

test("a class named twice is one class, and a full run sends Kea nothing", async () => {
  await using daemon = await startKea();
  const on = sceneOn(kea({ socket: daemon.socket }), realMachine());
  const twice = { a: { ...a, classes: ["vip", "staff", "vip"] } };
  assert.deepEqual(await on.run(twice, { whole: true }), well);
  assert.deepEqual(await on.observe(), [{ ...a, classes: ["vip", "staff"] }]);
  const before = sets(daemon);
  await on.run(twice, { whole: true });
  assert.equal(sets(daemon), before);
});

test("after any rows, Kea has those reservations, the foreign one and its other configuration", async () => {
  const hand = { "hw-address": "02:00:00:ff:ff:ff", "ip-address": "10.9.0.254" };
  await using daemon = await startKea({}, { reservations: [hand] });
  const service = kea({ socket: daemon.socket });
  const on = sceneOn(service, realMachine());
  const { row } = tableOf(service);
  await on.run({ a }, { whole: true });
  const rest = async (): Promise<object> => {
    const running = await daemon.running();
    const subnet4 = running.Dhcp4.subnet4.map((subnet) => ({ ...subnet, reservations: [] }));
    return { ...running.Dhcp4, subnet4 };
  };
  const before = await rest();
  const classes = fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom("staff", "vip") }, anything("staff")));
  const client = fc
    .tuple(anyClient("10.9.0"), fc.option(classes, { nil: undefined }))
    .map(([one, classes]) => ({ ...one, classes }));
  let intended = 0;
  let last: object[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(client, { minLength: 10, maxLength: 40 }), fc.boolean(), async (given, whole) => {
      const rows = distinct(
        given.flatMap((one) => (row.safeParse(one).data as KeaRowBy<"mac"> | undefined) ?? []),
        ["mac", "ip"],
      );
      await on.run({}, { whole });
      const { refused = [], held = [] } = (await on.run(rows, { whole })) ?? {};
      for (const { key, why } of [...refused, ...held]) {
        assert.match(why, /is in no subnet of this Kea|must not make reservation|which trigger did not write/);
        delete rows[key];
      }
      intended += Object.keys(rows).length;
      last = sorted([...Object.values(rows), { mac: hand["hw-address"], ip: hand["ip-address"] }]);
      assert.deepEqual(await on.observe(), last);
      assert.deepEqual(await rest(), before);
    }),
    { numRuns: 15, endOnFailure: true },
  );
  assert.ok(intended > 50, `${intended} rows were meant`);
  await daemon.kill("SIGKILL");
  await daemon.start();
  assert.deepEqual(await on.observe(), last, "what it was given is what it starts with");
  assert.deepEqual(await rest(), before);
});

test("Kea's DHCPv6 server keeps addresses by MAC address", async () => {
  await using daemon = await startKea({}, { family: 6 });
  const on = sceneOn(kea({ socket: daemon.socket, family: 6 }), realMachine());
  const six = { mac: a.mac, ip: "2001:db8:9::A", name: "pc-a" };
  assert.deepEqual(await on.run({ six, out: { mac: b.mac, ip: "2001:db8::1" } }, { whole: true }), {
    ...well,
    refused: [{ key: "out", why: "2001:db8::1 is in no subnet of this Kea" }],
  });
  assert.deepEqual(await on.observe(), [{ ...six, ip: "2001:db8:9::a" }]);
  assert.deepEqual(await on.run({ six }, { whole: true }), well);
  assert.equal((await daemon.lease(a.mac))?.ip, "2001:db8:9::a");
});
