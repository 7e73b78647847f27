import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Away } from "../../src/core/util/errors.ts";
import { bind } from "../../src/services/bind.ts";
import { reverseName } from "../../src/services/dns/reverse-zone.ts";
import { conform } from "./conform.ts";
import { simulatedDns } from "./dns.ts";
import { anything } from "./hostile.ts";
import { entry, quietMachine, sceneOn, selected, tableOf } from "./scene.ts";

const zones = ["campus.example", "0.10.in-addr.arpa", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"];
const options = { zone: "campus.example", reverse: ["10.0.0.0/16", "2001:db8:1::/48"] };
const pc7 = { name: "PC7", ips: ["2001:DB8:1:0::7", "10.0.0.7"] };
const pc8 = { name: "pc8.Campus.Example.", ips: ["10.0.0.8", "10.0.0.8"] };

function world(special: object = {}, name = "host1") {
  const machine = quietMachine();
  const dns = simulatedDns(machine, zones);
  return { ...dns, ...sceneOn(bind({ ...options, ...special }), machine, name) };
}

const served = () => {
  const machine = quietMachine();
  simulatedDns(machine, zones);
  return machine;
};
conform("bind", bind(options), [pc7, pc8], { machine: served });

test("all changes of a run are one message per zone, with prerequisites", async () => {
  const { run, messages } = world();
  await run({ a: pc7, b: pc8 });
  assert.deepEqual(
    messages.map(([zone]) => zone),
    zones.map((zone) => `zone ${zone}.`),
  );
  messages.length = 0;
  await run({ a: { ...pc7, ips: ["10.0.0.70", "2001:db8:1::7"] }, b: pc8 });
  assert.deepEqual(messages, [
    [
      "zone campus.example.",
      "prereq yxrrset pc7.campus.example. A 10.0.0.7",
      "prereq yxrrset pc7.campus.example. AAAA 2001:db8:1::7",
      "prereq nxrrset pc7.campus.example. CNAME",
      "update delete pc7.campus.example. A",
      "update add pc7.campus.example. 3600 A 10.0.0.70",
    ],
    [
      "zone 0.10.in-addr.arpa.",
      "prereq yxrrset 7.0.0.10.in-addr.arpa. PTR pc7.campus.example.",
      "prereq nxrrset 7.0.0.10.in-addr.arpa. CNAME",
      "update delete 7.0.0.10.in-addr.arpa. PTR",
      "prereq nxrrset 70.0.0.10.in-addr.arpa. PTR",
      "prereq nxrrset 70.0.0.10.in-addr.arpa. CNAME",
      "update add 70.0.0.10.in-addr.arpa. 3600 PTR pc7.campus.example.",
    ],
  ]);
});

test("a message has at most 500 names and fits into a TCP message", async () => {
  const { run, messages } = world({ reverse: [] });
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}`;
  const rows = (prefix: string, below: string) =>
    Object.fromEntries(
      Array.from({ length: 700 }, (_, i) => [
        `${prefix}${i}`,
        { name: `${prefix}${i}${below}.campus.example`, ips: ["192.0.2.1"] },
      ]),
    );
  assert.deepEqual((await run({ ...rows("x", ""), ...rows("y", `.${long}`) }))?.refused, []);
  for (const message of messages) {
    assert.ok(new Set(message.map((line) => line.split(" ")[2])).size <= 501);
    assert.ok(message.join("\n").length < 80_000);
  }
  assert.ok(messages.length < 16, `${messages.length} messages`);
});

test("refused names are found by bisection, lose their pointers, and delay no other", async () => {
  const { run, sets, controls, messages } = world();
  controls.refused.add("h7.campus.example").add("8.1.0.10.in-addr.arpa");
  const rows = Array.from({ length: 100 }, (_, i) => [`k${i}`, { name: `h${i}`, ips: [`10.0.1.${i}`] }]);
  const result = await run(Object.fromEntries(rows));
  assert.deepEqual(result?.refused?.map(({ key }) => key).sort(), ["k7", "k8"]);
  assert.match(result?.refused?.[0]?.why ?? "", /update-policy \{ grant trigger zonesub/);
  assert.equal(sets.size, 2 * 98);
  for (const name of ["h7.campus.example A", "7.1.0.10.in-addr.arpa PTR", "h8.campus.example A"])
    assert.ok(!sets.has(name));
  assert.ok(messages.length < 40, `${messages.length} messages`);
});

test("only the types of the options are written, observed and removed", async () => {
  const { run, sets } = world({ types: ["A"], ttl: 60 });
  sets.set("pc7.campus.example AAAA", ["3600 2001:db8:1::99"]);
  sets.set("7.0.0.10.in-addr.arpa PTR", ["3600 other.example."]);
  assert.deepEqual(await run({ a: pc7 }, { whole: true }), { refused: [], held: [], serving: true });
  assert.deepEqual(sets.get("pc7.campus.example A"), ["60 10.0.0.7"]);
  await run({});
  assert.deepEqual([...sets.keys()], ["pc7.campus.example AAAA", "7.0.0.10.in-addr.arpa PTR"]);
});

test("a server that does not answer is away for every query", async () => {
  const { run, controls } = world();
  await run({ a: pc7 });
  controls.down = true;
  for (const whole of [true, false]) await assert.rejects(run({}, { whole }), Away);
});

test("observe gives every name, and own names with those addresses that have pointers", async () => {
  const { run, sets, observe } = world();
  sets.set("ns1.campus.example A", ["3600 10.0.0.2"]);
  sets.set("2.0.0.10.in-addr.arpa PTR", ["3600 ns1.campus.example."]);
  sets.set("www.campus.example CNAME", ["3600 mail.campus.example."]);
  await run({ a: pc7, b: pc8 });
  sets.delete("7.0.0.10.in-addr.arpa PTR");
  sets.delete("pc8.campus.example A");
  assert.deepEqual(await observe(), [
    { name: "ns1.campus.example", ips: ["10.0.0.2"] },
    { name: "pc7.campus.example", ips: ["2001:db8:1::7"] },
    { name: "2.0.0.10.in-addr.arpa", records: ["3600 PTR ns1.campus.example"] },
    { name: "8.0.0.10.in-addr.arpa", records: ["3600 PTR pc8.campus.example"] },
    { name: "www.campus.example", records: ["3600 CNAME mail.campus.example"] },
  ]);
});

test("values are refused or give exactly their records, in every kind of run", async () => {
  const { row } = tableOf(bind(options));
  const given = fc.record({
    name: anything("pc7"),
    ips: fc.array(fc.oneof(anything("10.0.0.7"), anything("2001:db8:1::7"), fc.ipV6(), fc.ipV4())),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(given), fc.boolean(), async (rows, whole) => {
      const { run, sets } = world();
      const good = new Map<string, { name: string; ips: string[] }>();
      const taken = new Set<string>();
      for (const one of rows) {
        const read = row.safeParse(one).data as { name: string; ips: string[] } | undefined;
        if (!read || good.has(read.name) || read.ips.some((ip) => taken.has(ip))) continue;
        good.set(read.name, read);
        for (const ip of read.ips) taken.add(ip);
      }
      await run(Object.fromEntries(good), { whole });
      const meant = new Map<string, string[]>();
      for (const { name, ips } of good.values()) {
        for (const ip of ips) {
          const key = `${name} ${ip.includes(":") ? "AAAA" : "A"}`;
          meant.set(key, [...(meant.get(key) ?? []), `3600 ${ip}`].sort());
          const pointer = reverseName(ip);
          if (zones.some((zone) => pointer.endsWith(`.${zone}`))) meant.set(`${pointer} PTR`, [`3600 ${name}.`]);
        }
      }
      const sorted = (map: Map<string, string[]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(sorted(sets), sorted(meant));
      await run({}, { whole });
      assert.equal(sets.size, 0);
    }),
  );
});

test("a reserved name is no row, and a wrong option names its rule", () => {
  const { row } = tableOf(bind({ ...options, reserved: ["www", "mail.campus.example"] }));
  for (const name of ["WWW", "mail", "campus.example", "pc7.elsewhere.example", "_tcp"]) {
    assert.equal(row.safeParse({ name, ips: ["10.0.0.7"] }).success, false, name);
  }
  assert.throws(() => bind({ zone: "campus" }), /bind: zone: is not a domain name/);
  assert.throws(() => bind({ ...options, types: ["PTR"] }), /bind: types: has neither A nor AAAA/);
  assert.throws(() => bind({ ...options, reverse: ["10.0.0.0/28"] }), /bind: reverse\.0: has no reverse zone/);
  assert.throws(() => bind({ ...options, server: "a b" }), /bind: server: is not an address or name of a server/);
  assert.throws(() => bind({ ...options, on: { dns2: { zone: "other.example" } } }), /bind: on: zone is the same/);
});

test("a local server is recognized by systemd's unit, a remote one by none", () => {
  assert.deepEqual(tableOf(bind(options)).daemon, { unit: "named" });
  assert.equal(tableOf(bind({ ...options, server: "ns1.campus.example" })).daemon, undefined);
  assert.equal(tableOf(bind({ ...options, daemon: false })).daemon, undefined);
});

test("by default the hosts of RFC 2307 are selected with all their addresses", () => {
  const host = entry(["device", "ipHost"], "pc7", { iphostnumber: ["2001:db8::7", "10.0.0.7"] });
  assert.deepEqual(selected(bind(options), host), { name: "pc7", ips: ["10.0.0.7", "2001:db8::7"] });
  assert.equal(selected(bind(options), entry(["ipHost"], "pc8")), undefined);
});
