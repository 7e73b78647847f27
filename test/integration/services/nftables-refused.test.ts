import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Columns } from "../../../src/core/util/json.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import { nftables } from "../../../src/services/nftables.ts";
import { namespace } from "../../servers/namespace.ts";
import { anything } from "../../services/hostile.ts";
import { tableOf } from "../../services/scene.ts";
import { firewall, folder, tableIn } from "./firewall.fixture.ts";

// What a real nft refuses, what trigger must not touch, and what a directory must not be able to say.

const box = namespace("fw");
const a = { mac: "02:00:00:00:00:01", ip: "10.0.0.1" };
const b = { mac: "02:00:00:00:00:02", ip: "10.0.0.2" };
const c = { mac: "02:00:00:00:00:03", ip: "2001:db8::3" };

test("a row that the kernel refuses waits with its reason; the others are applied", async () => {
  const sets = {
    blocked: { type: "ipv4_addr", columns: ["net"], interval: true },
    way: { type: "ether_addr : verdict", columns: ["mac", "to"] },
  } as const;
  const { name, path, nft } = tableIn(box, "refused");
  const { run, observe, told } = firewall(
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
  await run(good); // what the refused rows had is not known in a full run, so one more run compares
  told();
  const { refused } = await run(next);
  assert.match(told()[1] ?? "", /^add element inet refused blocked \{ 10\.2\.0\.0\/16 \}$/m, "before the comparison");
  assert.deepEqual(
    refused.map(({ key }) => key),
    ["a"],
  );
  assert.deepEqual(await observe(), [{ net: "10.1.0.0/16" }, { net: "10.2.0.0/16" }, good.a]);
  // A network is cut in two in one transaction.
  await run({ a: good.a, low: { net: "10.1.0.0/17" }, rest: { net: "10.1.128.0/17" } });
  assert.deepEqual(await observe(), [{ net: "10.1.0.0/17" }, { net: "10.1.128.0/17" }, good.a]);
});

test("an element shared by a refused row and another stays when the first moves", async () => {
  const sets = {
    open: { type: "ipv4_addr", columns: ["ip"] },
    way: { type: "ether_addr : verdict", columns: ["mac", "to"] },
  } as const;
  const { name, path, nft } = tableIn(box, "kept");
  const { run, observe } = firewall(
    nftables({ table: name, path, nft, sets, select: () => undefined, rules: "chain known { }" }),
  );
  await run({ one: { ip: "10.0.0.1" } }, { whole: true });
  const taken = { two: { ip: "10.0.0.1" } };
  assert.equal((await run({ ...taken, one: { mac: a.mac, to: "jump nowhere" } })).refused.length, 1);
  await run({ ...taken, one: { mac: a.mac, to: "jump known" } });
  assert.deepEqual(await observe(), [{ ip: "10.0.0.1" }, { mac: a.mac, to: "jump known" }]);
});

test("a foreign table is held until it is approved", async () => {
  const { name, options, listed } = tableIn(box, "foreign", { rules: "chain c { }" });
  box.exec("nft", "add", "table", "inet", name);
  box.exec("nft", "add", "chain", "inet", name, "mine");
  const { run, database } = firewall(nftables(options));
  await assert.rejects(run({ a }, { whole: true }), { name: "Held", message: /table inet foreign exists.*approved/ });
  assert.match(listed(), /chain mine/);
  hostStore(database)
    .service("firewall")
    .records.approve(hostStore(database).service("firewall").records.conflicts()?.digest);
  await run({ a }, { whole: true });
  assert.doesNotMatch(listed(), /chain mine/);
  // Its store is lost: it knows its table by its file.
  assert.deepEqual(await firewall(nftables(options)).run({ a }, { whole: true }), { refused: [], serving: true });
});

test("new rules of the file are applied; wrong ones are reported, without delaying members", async () => {
  const file = join(folder(), "rules");
  const { options, listed } = tableIn(box, "ruled", { rules: file });
  const { run } = firewall(nftables(options));
  writeFileSync(file, "chain one { }\n");
  await run({ a }, { whole: true });
  writeFileSync(file, "chain two { }\n");
  await run({ a, b });
  assert.match(listed(), /chain two/);
  assert.doesNotMatch(listed(), /chain one/);
  writeFileSync(file, "chain three { no such thing; }\n");
  await assert.rejects(run({ a, c }), /the rules or sets of table inet ruled are wrong/);
  assert.match(listed(), /chain two/);
  assert.match(listed(), /2001:db8::3/);
  assert.doesNotMatch(listed(), /10\.0\.0\.2/);
  writeFileSync(file, "chain three { }\n} table inet evil {\n");
  await assert.rejects(run({ a, b }), ({ cause }: Error) => /rules has a } that ends the table/.test(String(cause)));
  assert.match(listed(), /10\.0\.0\.2/);
  assert.match(listed(), /chain two/);
  writeFileSync(file, "chain three { }\n");
  await run({ a, b });
  assert.match(listed(), /chain three/);
});

test("a missing right to change the network is named in the error", async () => {
  const { options } = tableIn(box, "rightless");
  const { run } = firewall(nftables({ ...options, nft: ["setpriv", "--reuid", "65534", "--clear-groups", "nft"] }));
  await assert.rejects(run({ a }, { whole: true }), /needs CAP_NET_ADMIN/);
  const { run: without } = firewall(nftables({ ...options, nft: ["/nonexistent/nft"] }));
  await assert.rejects(without({ a }, { whole: true }), /\/nonexistent\/nft is not installed \(Debian: nftables\)/);
});

test("a dry run changes no table, and notes the commands", async () => {
  const { name, options } = tableIn(box, "dry");
  const { run, told } = firewall(nftables(options), { dry: true });
  await run({ a }, { whole: true });
  assert.match(told()[0] ?? "", /02:00:00:00:00:01 \. 10\.0\.0\.1/);
  assert.throws(() => box.exec("nft", "list", "table", "inet", name));
});

test("after any rows, the kernel has exactly their elements", async () => {
  const sets = {
    members4: { type: "ether_addr . ipv4_addr", columns: ["mac", "ip"] },
    members6: { type: "ether_addr . ipv6_addr", columns: ["mac", "ip"] },
    open: { type: "ipv4_addr . inet_proto . inet_service", columns: ["open"] },
    rate: { type: "ipv4_addr : mark", columns: ["ip", "rate"] },
    way: { type: "ifname : verdict", columns: ["port", "to"] },
  } as const;
  const { name, path, nft } = tableIn(box, "hostile");
  const service = nftables({ table: name, path, nft, sets, select: () => undefined, rules: "chain guests { }" });
  const { run, observe, told, inForce } = firewall(service);
  const schema = tableOf(service).row;
  const value = (good: string) => fc.option(anything(good), { nil: undefined });
  const row = fc.oneof(
    fc.record({ mac: value(a.mac), ip: fc.oneof(anything("10.0.0.1"), anything("2001:db8::1")), rate: value("16") }),
    fc.record({ open: anything("10.0.0.7 . tcp . 443") }),
    fc.record({ port: anything("eth0.5"), to: anything("jump guests") }),
  );
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
      const there = await observe();
      const seen = new Set(
        there.flatMap((one) =>
          Object.entries(one).flatMap(([column, value]) => (value === null ? [] : [`${column} ${value}`])),
        ),
      );
      told();
      assert.deepEqual((await run(inForce(), { whole: true })).refused, []);
      assert.deepEqual(told(), [], "what was moved live is what a comparison wants");
      for (const pair of seen) {
        const [column = "", ...words] = pair.split(" ");
        assert.ok(
          Object.values(inForce()).some((one) => one[column] === words.join(" ")),
          `no row wants ${pair}`,
        );
      }
    }),
    { numRuns: 5, endOnFailure: true },
  );
  assert.equal(box.exec("nft", "list", "tables"), `${tables}table inet ${name}\n`);
});
