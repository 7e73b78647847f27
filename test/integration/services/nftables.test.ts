import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Columns } from "../../../src/core/service.ts";
import { takeOverHeld } from "../../../src/host/owned.ts";
import { nftables } from "../../../src/services/nftables.ts";
import { namespace } from "../../servers/namespace.ts";
import { anything } from "../../services/hostile.ts";
import { tableOf } from "../../services/scene.ts";
import { firewall, folder } from "./firewall.fixture.ts";

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

const box = namespace("fw");
/** A table of its own in the one namespace, with its boot file in a folder of its own. */
function table(name: string, options: { readonly rules?: string } = {}) {
  const path = join(folder(), `${name}.nft`);
  const nft = ["ip", "netns", "exec", box.name, "nft"] as const;
  const listed = (): string => box.exec("nft", "list", "table", "inet", name);
  return { name, path, nft, listed, options: { table: name, rules: "", path, nft, ...options } };
}

test("packets of members pass and of no others, from the moment of the change", async () => {
  const { gate, passes } = gated();
  const { run } = firewall(
    nftables({ rules, path: join(folder(), "gate.nft"), nft: ["ip", "netns", "exec", gate.name, "nft"] }),
  );
  assert.equal(passes("10.9.0.7"), true);
  const seven = { mac: member, ip: "10.9.0.7" };
  const eight = { mac: member, ip: "10.9.0.8" };
  const other = { mac: "02:00:00:00:00:99", ip: "10.9.0.8" };
  assert.deepEqual(await run({ other }, { whole: true }), { refused: [], proved: true });
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

const a = { mac: "02:00:00:00:00:01", ip: "10.0.0.1" };
const b = { mac: "02:00:00:00:00:02", ip: "10.0.0.2" };
const c = { mac: "02:00:00:00:00:03", ip: "2001:db8::3" };

test("a flushed ruleset is observed, and mended by a full run or by the next change", async () => {
  const { name, options } = table("flushed", { rules: "chain c { }" });
  const { run, observe } = firewall(nftables(options));
  await run({ a, b }, { whole: true });
  for (const rows of [
    { a, b },
    { a, c },
  ] as Record<string, typeof a>[]) {
    box.exec("nft", "delete", "table", "inet", name);
    assert.deepEqual(await observe(), []);
    assert.deepEqual(await run(rows, { whole: "b" in rows }), { refused: [], proved: true });
    assert.deepEqual(await observe(), Object.values(rows));
  }
});

test("what was added, removed and changed by hand is observed, and a full run mends just that", async () => {
  const { name, options, listed } = table("edited", { rules: "chain c {\n counter accept\n}" });
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
  assert.deepEqual(await run({ a: { ...a, ip: "10.0.0.5" }, b, c }), { refused: [], proved: true });
  assert.deepEqual(new Set((await observe()).map(({ ip }) => ip)), new Set(["10.0.0.5", b.ip, c.ip]));
});

test("what is loaded at boot is what was in force, after any changes", async () => {
  const { name, path, options, listed } = table("booted", { rules: "chain c {\n counter accept\n}" });
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

test("a single row that the kernel refuses waits with its reason, and the others go in", async () => {
  const sets = {
    blocked: { type: "ipv4_addr", columns: ["net"], interval: true },
    way: { type: "ether_addr : verdict", columns: ["mac", "to"] },
  } as const;
  const { name, path, nft } = table("refused");
  const { run, observe } = firewall(
    nftables({ table: name, path, nft, sets, select: () => undefined, rules: "chain known { }" }),
  );
  const good = { a: { mac: a.mac, to: "jump known" }, low: { net: "10.1.0.0/16" } };
  const first = await run(
    { ...good, wide: { net: "10.0.0.0/8" }, x: { mac: b.mac, to: "goto unknown" } },
    { whole: true },
  );
  assert.deepEqual(first.refused, [
    { key: "wide", why: "blocked { 10.0.0.0/8 }: conflicting intervals specified" },
    { key: "x", why: `way { ${b.mac} : goto unknown }: Could not process rule: No such file or directory` },
  ]);
  assert.deepEqual(await observe(), [{ net: "10.1.0.0/16" }, good.a]);
  // Live: one of three is wrong, and keeps what it had.
  const next = { ...good, a: { mac: a.mac, to: "jump nowhere" }, other: { net: "10.2.0.0/16" } };
  const { refused } = await run(next);
  assert.deepEqual(
    refused.map(({ key }) => key),
    ["a"],
  );
  assert.deepEqual(await observe(), [{ net: "10.1.0.0/16" }, { net: "10.2.0.0/16" }, good.a]);
  // A network is cut in two in one transaction.
  await run({ a: good.a, low: { net: "10.1.0.0/17" }, rest: { net: "10.1.128.0/17" } });
  assert.deepEqual(await observe(), [{ net: "10.1.0.0/17" }, { net: "10.1.128.0/17" }, good.a]);
});

test("a table that was there before is held until it is approved", async () => {
  const { name, options, listed } = table("foreign", { rules: "chain c { }" });
  box.exec("nft", "add", "table", "inet", name);
  box.exec("nft", "add", "chain", "inet", name, "mine");
  const { run, database } = firewall(nftables(options));
  await assert.rejects(run({ a }, { whole: true }), { name: "Held", message: /table inet foreign is there.*approve/ });
  assert.match(listed(), /chain mine/);
  takeOverHeld(database, "firewall");
  await run({ a }, { whole: true });
  assert.doesNotMatch(listed(), /chain mine/);
  // Its store is lost: it knows its table by its file.
  assert.deepEqual(await firewall(nftables(options)).run({ a }, { whole: true }), { refused: [], proved: true });
});

test("new rules of the file are put in force; wrong ones are said, and members move all the same", async () => {
  const file = join(folder(), "rules");
  const { options, listed } = table("ruled", { rules: file });
  const { run } = firewall(nftables(options));
  writeFileSync(file, "chain one { }\n");
  await run({ a }, { whole: true });
  writeFileSync(file, "chain two { }\n");
  await run({ a, b });
  assert.match(listed(), /chain two/);
  assert.doesNotMatch(listed(), /chain one/);
  writeFileSync(file, "chain three { no such thing; }\n");
  await assert.rejects(run({ a, c }), /nft refuses the rules or sets of table inet ruled/);
  assert.match(listed(), /chain two/);
  assert.match(listed(), /2001:db8::3/);
  assert.doesNotMatch(listed(), /10\.0\.0\.2/);
  writeFileSync(file, "chain three { }\n} table inet evil {\n");
  await assert.rejects(run({ a, c }), /rules has a } that ends the table/);
});

test("without the right to change the network it says what is missing", async () => {
  const { options } = table("rightless");
  const { run } = firewall(nftables({ ...options, nft: ["setpriv", "--reuid", "65534", "--clear-groups", "nft"] }));
  await assert.rejects(run({ a }, { whole: true }), /needs CAP_NET_ADMIN/);
  const { run: without } = firewall(nftables({ ...options, nft: ["/nonexistent/nft"] }));
  await assert.rejects(without({ a }, { whole: true }), /\/nonexistent\/nft is not installed \(Debian: nftables\)/);
});

test("a dry run tells nothing, and says what it would", async () => {
  const { name, options } = table("dry");
  const { run, told } = firewall(nftables(options), { dry: true });
  await run({ a }, { whole: true });
  assert.match(told()[0] ?? "", /02:00:00:00:00:01 \. 10\.0\.0\.1/);
  assert.throws(() => box.exec("nft", "list", "table", "inet", name));
});

test("whatever the directory says, the kernel has the elements meant and nothing else", async () => {
  const sets = {
    members4: { type: "ether_addr . ipv4_addr", columns: ["mac", "ip"] },
    members6: { type: "ether_addr . ipv6_addr", columns: ["mac", "ip"] },
    open: { type: "ipv4_addr . inet_proto . inet_service", columns: ["open"] },
    rate: { type: "ipv4_addr : mark", columns: ["ip", "rate"] },
    way: { type: "ifname : verdict", columns: ["port", "to"] },
  } as const;
  const { name, path, nft } = table("hostile");
  const service = nftables({ table: name, path, nft, sets, select: () => undefined, rules: "chain guests { }" });
  const { run, observe, told } = firewall(service);
  const schema = tableOf(service).row;
  const value = (good: string) => fc.option(anything(good), { nil: undefined });
  const row = fc.record({
    ...{
      mac: value(a.mac),
      ip: fc.oneof(anything("10.0.0.1"), anything("2001:db8::1")),
      open: value("10.0.0.7 . tcp . 443"),
    },
    ...{ rate: value("16"), port: value("eth0.5"), to: value("jump guests") },
  });
  const tables = box.exec("nft", "list", "tables");
  await run({}, { whole: true });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 20, maxLength: 60 }), async (given) => {
      const rows = new Map<string, Columns>();
      for (const one of given) {
        const read = schema.safeParse(one).data as Columns | undefined;
        const taken = [...rows.values()].some((other) =>
          ["ip", "open", "port"].some((column) => read?.[column] && other[column] === read[column]),
        );
        if (read && !taken) rows.set(`k${rows.size}`, read);
      }
      await run(Object.fromEntries(rows));
      const seen = new Set((await observe()).flatMap((one) => Object.entries(one).map((pair) => pair.join(" "))));
      told();
      assert.deepEqual(
        (await run(Object.fromEntries(rows), { whole: true })).refused.filter(({ why }) => !/No such file/.test(why)),
        [],
      );
      assert.deepEqual(told(), [], "what was moved live is what a comparison wants");
      for (const pair of seen) {
        const [column = "", ...words] = pair.split(" ");
        assert.ok(
          [...rows.values()].some((one) => one[column] === words.join(" ")),
          `nobody wanted ${pair}`,
        );
      }
    }),
    { numRuns: 5 },
  );
  assert.equal(box.exec("nft", "list", "tables"), `${tables}table inet ${name}\n`);
});

test("one change costs the same in a table of 50,000 rows as in one of 50", async (t) => {
  const took: number[] = [];
  for (const size of [50, 50_000]) {
    const { options } = table(`of${size}`);
    const { run, said, took: lasted } = firewall(nftables(options));
    const rows = Object.fromEntries(
      Array.from({ length: size }, (_, n) => [
        `k${n}`,
        { mac: a.mac, ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` },
      ]),
    );
    await run(rows, { whole: true });
    said.length = 0;
    const times: number[] = [];
    for (const last of [1, 2, 3, 4, 5]) {
      await run({ ...rows, k7: { mac: a.mac, ip: `10.99.0.${last}` } });
      times.push(lasted());
    }
    took.push(Math.min(...times));
    assert.equal(said.length, 10);
    assert.ok(said.every(({ input }) => input.length < 250));
  }
  const [small = 0, large = 0] = took;
  t.diagnostic(`a change took ${small.toFixed(1)} ms of 50 rows, ${large.toFixed(1)} ms of 50,000`);
  assert.ok(large < 3 * small + 50, `${small} ms, ${large} ms`);
});
