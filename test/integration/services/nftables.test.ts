import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nftables } from "../../../src/services/nftables.ts";
import { namespace } from "../../servers/namespace.ts";
import { firewall, folder, tableIn } from "./firewall.fixture.ts";

// A real nft in network namespaces: a gate lets only the members of a set in, and packets show it.

const member = "02:00:00:00:00:07";
const rules = `
chain input {
  type filter hook input priority 0; policy drop;
  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
  ether saddr . ip saddr @members4 accept
  ether saddr . ip6 saddr @members6 accept
}`;

/** A gate, and a member's machine with the addresses .7 and .8 on a cable to it. */
function gated() {
  const gate = namespace("gate");
  const pc = namespace("pc");
  gate.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", pc.name);
  pc.exec("ip", "link", "set", "eth0", "address", member);
  for (const [box, addresses] of [
    [gate, ["10.9.0.1/24", "2001:db8:9::1/64"]],
    [pc, ["10.9.0.7/24", "10.9.0.8/24", "2001:db8:9::7/64"]],
  ] as const) {
    for (const address of addresses) {
      const quick = address.includes(":") ? ["nodad"] : []; // else the address is tentative for a second
      box.exec("ip", "address", "add", address, "dev", "eth0", ...quick);
    }
    box.exec("ip", "link", "set", "eth0", "up");
  }
  const passes = (from: string): boolean => {
    try {
      pc.exec("ping", "-c", "1", "-W", "0.3", "-I", from, from.includes(":") ? "2001:db8:9::1" : "10.9.0.1");
      return true;
    } catch {
      return false;
    }
  };
  return { gate, pc, passes };
}

test("packets of members alone pass, from the moment of the change", async () => {
  const { gate, passes } = gated();
  const { run } = firewall(
    nftables({ rules, path: join(folder(), "gate.nft"), nft: ["ip", "netns", "exec", gate.name, "nft"] }),
  );
  assert.equal(passes("10.9.0.7"), true);
  const seven = { mac: member, ip: "10.9.0.7" };
  const eight = { mac: member, ip: "10.9.0.8" };
  const other = { mac: "02:00:00:00:00:99", ip: "10.9.0.8" };
  assert.deepEqual(await run({ other }, { whole: true }), { refused: [], serving: true });
  assert.deepEqual([passes("10.9.0.7"), passes("10.9.0.8"), passes("2001:db8:9::7")], [false, false, false]);
  await run({ other, a: seven, six: { mac: member, ip: "2001:DB8:9::7" } });
  assert.deepEqual([passes("10.9.0.7"), passes("10.9.0.8"), passes("2001:db8:9::7")], [true, false, true]);
  // The address of one becomes the other's, and the other way round.
  await run({ other: { ...other, ip: "10.9.0.7" }, a: eight });
  assert.deepEqual([passes("10.9.0.7"), passes("10.9.0.8"), passes("2001:db8:9::7")], [false, true, false]);
  await run({ a: eight });
  assert.equal(passes("10.9.0.8"), true);
  await run({});
  assert.equal(passes("10.9.0.8"), false);
});

const box = namespace("fw");
const a = { mac: "02:00:00:00:00:01", ip: "10.0.0.1" };
const b = { mac: "02:00:00:00:00:02", ip: "10.0.0.2" };
const c = { mac: "02:00:00:00:00:03", ip: "2001:db8::3" };

test("a flushed ruleset is observed, and repaired by a full run or a change", async () => {
  const { name, options } = tableIn(box, "flushed", { rules: "chain c { }" });
  const { run, observe } = firewall(nftables(options));
  await run({ a, b }, { whole: true });
  for (const rows of [
    { a, b },
    { a, c },
  ] as Record<string, typeof a>[]) {
    box.exec("nft", "delete", "table", "inet", name);
    assert.deepEqual(await observe(), []);
    assert.deepEqual(await run(rows, { whole: "b" in rows }), { refused: [], serving: true });
    assert.deepEqual(await observe(), Object.values(rows));
  }
});

test("hand edits are observed, and a full run repairs exactly those", async () => {
  const { name, options, listed } = tableIn(box, "edited", { rules: "chain c {\n counter accept\n}" });
  const { run, observe, told } = firewall(nftables(options));
  await run({ a, b, c }, { whole: true });
  const before = listed();
  told();
  await run({ a, b, c }, { whole: true });
  assert.deepEqual(told(), [], "a full run on what is right tells nothing");
  const edit = (...words: string[]) => box.exec("nft", ...words.slice(0, 2), "inet", name, ...words.slice(2));
  edit("add", "element", "members4", "{ 02:00:00:00:00:09 . 10.0.0.9 }");
  edit("delete", "element", "members4", "{ 02:00:00:00:00:01 . 10.0.0.1 }");
  assert.deepEqual(await observe(), [b, { mac: "02:00:00:00:00:09", ip: "10.0.0.9" }, c]);
  await run({ a, b, c }, { whole: true });
  assert.deepEqual(told(), [
    `delete element inet ${name} members4 { 02:00:00:00:00:09 . 10.0.0.9 }\nadd element inet ${name} members4 { 02:00:00:00:00:01 . 10.0.0.1 }\n`,
  ]);
  assert.equal(listed(), before);
  edit("add", "rule", "c", "drop");
  await run({ a, b, c }, { whole: true });
  assert.equal(told().length, 1);
  assert.equal(listed(), before);
  // An element that was removed by hand is changed: the live path falls back to the comparison.
  edit("delete", "element", "members4", "{ 02:00:00:00:00:01 . 10.0.0.1 }");
  assert.deepEqual(await run({ a: { ...a, ip: "10.0.0.5" }, b, c }), { refused: [], serving: true });
  assert.deepEqual(new Set((await observe()).map(({ ip }) => ip)), new Set(["10.0.0.5", b.ip, c.ip]));
});

test("the boot files restore the applied table, after any changes", async () => {
  const { name, path, options, listed } = tableIn(box, "booted", { rules: "chain c {\n counter accept\n}" });
  const { run } = firewall(nftables(options));
  const boot = () => {
    box.exec("nft", "delete", "table", "inet", name);
    box.exec("nft", "-f", path);
    return listed();
  };
  const steps: Record<string, typeof a>[] = [{ a }, { a, b }, { b }, { b: a, a: b, c }, {}, { c }];
  for (const rows of steps) {
    await run(rows);
    const before = listed();
    assert.equal(boot(), before, JSON.stringify(rows));
  }
  await run({ a, c }, { whole: true });
  const before = listed();
  assert.equal(boot(), before);
});

test("the boot files restore the applied table, with networks too", async () => {
  const { name, path, nft, listed } = tableIn(box, "networks");
  const sets = {
    blocked: { type: "ipv4_addr", columns: ["net"], interval: true },
    rate: { type: "ipv4_addr : mark", columns: ["net", "rate"], interval: true },
    port: { type: "ifname", columns: ["port"] },
  } as const;
  const { run } = firewall(nftables({ table: name, path, nft, sets, select: () => undefined, rules: "" }));
  const other = { port: "eth0" };
  const steps: Record<string, object>[] = [
    { a: { net: "10.0.0.0/8", rate: "1" }, other },
    { a: { net: "10.0.0.0/8", rate: "2" }, other },
    { a: { net: "10.0.0.0/9", rate: "2" }, b: { net: "10.128.0.0/9" }, other: { port: "eth1" } },
    { a: { net: "0.0.0.0/0", rate: "2" } },
    {},
  ];
  for (const rows of steps) {
    assert.deepEqual((await run(rows)).refused, []);
    const before = listed();
    box.exec("nft", "delete", "table", "inet", name);
    box.exec("nft", "-f", path);
    assert.equal(listed(), before, JSON.stringify(rows));
  }
});

test("nft accepts the rules and the configuration of docs/services/nftables.md", async () => {
  const page = readFileSync(new URL("../../../docs/services/nftables.md", import.meta.url), "utf8");
  const [, rules = ""] = /^```nft\n(.*?)^```$/ms.exec(page) ?? [];
  assert.match(rules, /@members6/);
  const { options, path } = tableIn(box, "shown", { rules });
  await firewall(nftables(options)).run({ a, c }, { whole: true });
  const [, conf = ""] = /^ {4}(flush ruleset\n {4}include .*)$/m.exec(page) ?? [];
  assert.match(conf, /\/etc\/nftables\.d\/\*\.nft/);
  for (const folder of [path.replace(/[^/]+$/, ""), "/nonexistent/"]) {
    const file = join(path, "../nftables.conf");
    writeFileSync(file, `${conf.replace(/^ {4}/gm, "").replace("/etc/nftables.d/", folder)}\n`);
    box.exec("nft", "-f", file);
    assert.equal(box.exec("nft", "list", "tables"), folder === "/nonexistent/" ? "" : "table inet shown\n");
  }
});
