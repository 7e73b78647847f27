import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Columns } from "../../src/core/util/json.ts";
import { bindZone } from "../../src/services/bind-zone.ts";
import { reverseName } from "../../src/services/dns/reverse-zone.ts";
import { zoneRow } from "../../src/services/dns/zone-row.ts";
import { UniqueClaims } from "../../src/transcriber/tables/unique-claims.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, quietMachine, scene, selected, tableOf } from "./scene.ts";
import { readZone } from "./zone-reader.ts";

const options = {
  zone: "campus.example",
  ns: ["ns.other.example"],
  reverse: ["10.0.0.0/16", "2001:db8:1::/48"],
};
const forward = "/var/lib/bind/db.campus.example";
const reverse4 = "/var/lib/bind/db.0.10.in-addr.arpa";
const reverse6 = "/var/lib/bind/db.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
const pc7 = { name: "PC7", ips: ["10.0.0.7", "2001:DB8:1:0::7"] };
const full = { name: "pc8.Campus.Example.", ips: ["10.0.0.8"] };

conform("bindZone", bindZone(options), [pc7, full]);

test("a name and its addresses are in the zone and in the reverse zones", async () => {
  const { machine, run } = scene(bindZone(options));
  await run({ a: pc7, b: full, c: { name: "away", ips: ["192.0.2.1"] } });
  const ns = (owner: string) => ({ owner, type: "NS", data: "ns.other.example." });
  assert.deepEqual(readZone(machine.text(forward) ?? "").records, [
    ns("campus.example."),
    { owner: "pc7.campus.example.", type: "A", data: "10.0.0.7" },
    { owner: "pc7.campus.example.", type: "AAAA", data: "2001:db8:1::7" },
    { owner: "pc8.campus.example.", type: "A", data: "10.0.0.8" },
    { owner: "away.campus.example.", type: "A", data: "192.0.2.1" },
  ]);
  assert.deepEqual(readZone(machine.text(reverse4) ?? "").records, [
    ns("0.10.in-addr.arpa."),
    { owner: "7.0.0.10.in-addr.arpa.", type: "PTR", data: "pc7.campus.example." },
    { owner: "8.0.0.10.in-addr.arpa.", type: "PTR", data: "pc8.campus.example." },
  ]);
  assert.deepEqual(readZone(machine.text(reverse6) ?? "").records.at(-1), {
    owner: `${reverseName("2001:db8:1::7")}.`,
    type: "PTR",
    data: "pc7.campus.example.",
  });
});

test("each zone is checked and reloaded under its own name", async () => {
  const { machine, run } = scene(bindZone(options));
  const calls: string[][] = [];
  machine.program("named-checkzone", ({ arguments: [, , zone = "", path = ""] }) => {
    calls.push(["check", zone, /\$ORIGIN (.*)\./.exec(machine.text(path) ?? "")?.[1] ?? ""]);
  });
  machine.program("rndc", ({ arguments: words }) => void calls.push([...words]));
  await run({ a: pc7 });
  const zones = ["campus.example", "0.10.in-addr.arpa", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"];
  assert.deepEqual(calls, [...zones.map((zone) => ["check", zone, zone]), ...zones.map((zone) => ["reload", zone])]);
});

test("the serial rises with the content alone, zone by zone, and never falls", async () => {
  let now = new Date("2026-11-22T10:00:00Z");
  const { machine, run } = scene(bindZone(options, { now: () => now }));
  const serials = () => [forward, reverse4, reverse6].map((path) => readZone(machine.text(path) ?? "").serial);
  await run({ a: pc7 });
  assert.deepEqual(serials(), [2026112200, 2026112200, 2026112200]);
  await run({ a: pc7 }, { whole: true });
  assert.deepEqual(serials(), [2026112200, 2026112200, 2026112200]);
  await run({ a: pc7, b: full });
  assert.deepEqual(serials(), [2026112201, 2026112201, 2026112200]);
  now = new Date("2026-11-21T10:00:00Z"); // a clock that was set back
  await run({ a: pc7 });
  assert.deepEqual(serials(), [2026112202, 2026112202, 2026112200]);
  now = new Date("2026-11-23T10:00:00Z");
  await run({ a: pc7, b: full });
  assert.deepEqual(serials(), [2026112300, 2026112300, 2026112200]);
});

test("a restored or lost file gets a serial above all used", async () => {
  const now = () => new Date("2026-11-22T10:00:00Z");
  const { machine, run } = scene(bindZone({ ...options, reverse: [] }, { now }));
  await run({ a: pc7 });
  const old = machine.text(forward) ?? "";
  await run({ a: full });
  machine.place(forward, old);
  await run({ a: pc7 });
  assert.equal(readZone(machine.text(forward) ?? "").serial, 2026112202);
  await machine.files.remove(forward);
  await run({ a: full });
  assert.equal(readZone(machine.text(forward) ?? "").serial, 2026112203);
});

test("the serial of a foreign zone is continued", async () => {
  const foreign = "$TTL 1h\n@ IN SOA ns. root. (\n 3000000000 ; serial\n 1 2 3 4 )\n @ NS ns.other.example.\n";
  const machine = quietMachine({ [forward]: foreign });
  const on = scene(bindZone({ ...options, reverse: [] }, { now: () => new Date("2026-11-22Z") }), {
    machine,
    approved: [forward],
  });
  await on.run({ a: pc7 });
  assert.equal(readZone(machine.text(forward) ?? "").serial, 3000000001);
});

test("the probe waits for the installed serial of each zone", async () => {
  const { machine, run } = scene(bindZone({ ...options, probe: { server: "127.0.0.1", port: 5353 } }));
  const asked: string[] = [];
  machine.program("dig", ({ arguments: words }) => {
    asked.push(words.join(" "));
    const zone = words.at(-1) ?? "";
    const { serial } = readZone(machine.text(`/var/lib/bind/db.${zone.slice(0, -1)}`) ?? "");
    // The first answer is still the old zone.
    return { stdout: `ns. root. ${asked.length === 1 ? 1 : serial} 1 2 3 4\n` };
  });
  await run({ a: pc7 });
  assert.equal(asked.length, 4);
  assert.match(asked[0] ?? "", /@127\.0\.0\.1 -p 5353 SOA campus\.example\.$/);
});

test("a name in another zone, among its own records, or too long is refused", () => {
  const row = zoneRow({
    zone: "campus.example",
    records: ["ns1 A 10.0.0.2", "Mail.campus.example. A 10.0.0.3", "@ MX 10 mail"],
  });
  const names = [
    "pc7.elsewhere.example",
    "ns1",
    "NS1.campus.example",
    "mail",
    "@",
    "campus.example",
    "_tcp",
    "a.b",
    "10.0.0.7",
  ];
  for (const name of [...names, `${"a.".repeat(120)}campus.example`]) {
    const read = row.safeParse({ name, ips: ["10.0.0.7"] });
    assert.match(
      read.error?.issues[0]?.message ?? `${name} is taken`,
      /^is not a host name of the zone campus\.example/,
    );
  }
  assert.equal(row.parse({ name: "pc.wifi.campus.example", ips: ["10.0.0.7"] }).name, "pc.wifi.campus.example");
});

test("two ways to write a name of the zone are one unique value", () => {
  const { row } = tableOf(bindZone(options));
  const ips = ["10.0.0.7"];
  assert.deepEqual(row.parse({ name: "PC7", ips }), row.parse({ name: "pc7.campus.example.", ips }));
});

test("two names that share one address of several are both refused", () => {
  const { row, unique = [] } = tableOf(bindZone(options));
  const claims = new UniqueClaims({ unique });
  const claim = (key: string, ips: string[]) =>
    claims.set(key, { dn: `cn=${key}`, row: row.parse({ name: key, ips }) as Columns });
  claim("a", ["10.0.0.7", "2001:db8:1::7", "10.0.0.7"]);
  assert.equal(claims.conflict("a"), undefined);
  claim("b", ["10.0.0.8", "2001:DB8:1:0::7"]);
  for (const key of ["a", "b"]) assert.match(claims.conflict(key) ?? "", /ips.*2001:db8:1::7.*cn=a and cn=b/);
});

test("values are refused or give exactly their records", async () => {
  const { row } = tableOf(bindZone(options));
  const given = fc.record({
    name: anything("pc7"),
    ips: fc.array(fc.oneof(anything("10.0.0.7"), anything("2001:db8:1::7"), fc.ipV6())),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(given), async (rows) => {
      const good = rows.flatMap(
        (one) => (row.safeParse(one).data as { name: string; ips: string[] } | undefined) ?? [],
      );
      const { machine, run } = scene(bindZone(options));
      await run(Object.fromEntries(good.map((one, index) => [String(index).padStart(4, "0"), one])));
      const [ns, ...records] = readZone(machine.text(forward) ?? "").records;
      assert.equal(ns?.type, "NS");
      const meant = good.flatMap(({ name, ips }) =>
        [...new Set(ips)].map((data) => ({ owner: `${name}.`, type: data.includes(":") ? "AAAA" : "A", data })),
      );
      assert.deepEqual(records, meant);
      for (const path of [reverse4, reverse6]) readZone(machine.text(path) ?? "");
    }),
  );
});

test("a server name within the zone must have its address there", () => {
  assert.throws(
    () => bindZone({ zone: "campus.example", ns: ["ns1.campus.example"], records: ["@ MX 10 mail"] }),
    /bindZone: ns: ns1\.campus\.example lies in the zone: give its address in records, such as "ns1 A 10\.0\.0\.2"/,
  );
  bindZone({ zone: "campus.example", ns: ["ns1.campus.example"], records: ["ns1 AAAA 2001:db8::2"] });
});

test("by default the hosts of RFC 2307 are selected with all their addresses", () => {
  const host = entry(["device", "ipHost"], "pc7", { iphostnumber: ["2001:db8::7", "10.0.0.7"] });
  assert.deepEqual(selected(bindZone(options), host), { name: "pc7", ips: ["10.0.0.7", "2001:db8::7"] });
  assert.equal(selected(bindZone(options), entry(["ipHost"], "pc8")), undefined);
});
