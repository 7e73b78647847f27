import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandFailed } from "../../src/core/util/errors.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { acceptedRows } from "../../src/services/nft/choice.ts";
import { gathered, movesBetween, movesOf } from "../../src/services/nft/moves.ts";
import {
  columnsOfElement,
  elementsOf,
  lackingColumns,
  readSets,
  rowOf,
  setSettings,
} from "../../src/services/nft/sets.ts";
import { sameContent, withMoves } from "../../src/services/nft/table-content.ts";
import { movesText, tableText } from "../../src/services/nft/text.ts";
import { nftables } from "../../src/services/nftables.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, scene, selected, tableOf } from "./scene.ts";

const rules = "chain input {\n  type filter hook input priority 0\n  ether saddr . ip saddr @members4 accept\n}";
const pc = { mac: "AA-BB-CC-DD-EE-FF", ip: "10.0.0.7" };
const place = { family: "inet", table: "trigger" };

/** The elements of its sets: those of the file, moved by those of the file that it includes. */
function elementsIn(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const base = files.get("/etc/nftables.d/trigger.nft") ?? "";
  const since = files.get(/^include "(.*)"$/m.exec(base)?.[1] ?? "") ?? "";
  const found = new Set([...base.matchAll(/^\t\t\t([^,\n]+),?$/gm)].map(([, element]) => element));
  for (const [, verb, elements = ""] of since.matchAll(/^(add|delete) element .*\{ (.*) \}$/gm)) {
    for (const element of elements.split(", ")) {
      if (verb === "add") found.add(element);
      else found.delete(element);
    }
  }
  return new Map([["elements", [...found].sort().join("\n")]]);
}

conform("nftables", nftables({ rules }), [pc, { mac: "aabbccddeeff", ip: "2001:DB8:0::7" }], { meaning: elementsIn });

const sets = readSets(
  setSettings.parse({
    members4: { type: "ether_addr . ipv4_addr", columns: ["mac", "ip"] },
    members6: { type: "ether_addr . ipv6_addr", columns: ["mac", "ip"] },
    blocked: { type: "ipv4_addr", columns: ["net"], interval: true },
    open: { type: "ipv4_addr . inet_proto . inet_service", columns: ["open"] },
    rate: { type: "ipv4_addr : mark", columns: ["ip", "rate"] },
    way: { type: "ifname : verdict", columns: ["port", "to"] },
  }),
);
const unique = ["ip", "net", "open", "port"];
const row = rowOf(sets, unique);
const member = { mac: "aa:bb:cc:dd:ee:ff", ip: "10.0.0.7", rate: "16" };
const kinds: Record<string, string>[] = [
  member,
  { net: "10.0.0.0/8" },
  { open: "10.0.0.7 . tcp . 443" },
  { port: "eth0.5", to: "jump guests" },
];

test("a row is an element of each set whose columns it has", () => {
  const elements = (given: object) =>
    elementsOf(sets, row.parse(given) as Columns).map(([{ name }, key, value]) => [name, key, value]);
  assert.deepEqual(elements(pc), [["members4", "aa:bb:cc:dd:ee:ff . 10.0.0.7", ""]]);
  assert.deepEqual(elements({ ...pc, ip: "2001:DB8::7" }), [["members6", "aa:bb:cc:dd:ee:ff . 2001:db8::7", ""]]);
  assert.deepEqual(elements({ ip: pc.ip, rate: "0x10" }), [["rate", "10.0.0.7", "16"]]);
  assert.deepEqual(elements({ net: "10.0.0.7/32" }), [["blocked", "10.0.0.7", ""]]);
  assert.deepEqual(elements({ open: "10.0.0.7 . icmpv6 . 0" }), [["open", "10.0.0.7 . ipv6-icmp . 0", ""]]);
  assert.deepEqual(elements(member), [
    ["members4", `${member.mac} . 10.0.0.7`, ""],
    ["rate", "10.0.0.7", "16"],
  ]);
});

test("a value of another type, or a row in no set, is refused", () => {
  const why = (given: object) => row.safeParse(given).error?.issues[0]?.message;
  assert.equal(why({ net: "10.0.0.7/8" }), "is not ipv4_addr (or a network)");
  assert.equal(why({ ...pc, ip: "10.0.0.0/24" }), "is not ipv4_addr or ipv6_addr");
  assert.equal(why({ open: "10.0.0.7 . tcp" }), "is not ipv4_addr . inet_proto . inet_service");
  assert.equal(why({ open: "10.0.0.7 . tcp . 65536" }), "is not ipv4_addr . inet_proto . inet_service");
  assert.match(why({ mac: pc.mac }) ?? "", /^is an element of no set: \{"mac":"aa:bb:cc:dd:ee:ff"\}/);
});

/** An independent reader of the input of nft, which fails at any unknown word. */
function readMoves(text: string): string[] {
  return text
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => {
      const [, verb = "", set = "", list = ""] =
        /^(add|delete) element inet trigger ([a-z0-9]+) \{ ([0-9a-z:./, "_-]+( [0-9a-z:./, "_-]+)*) \}$/i.exec(line) ??
        assert.fail(line);
      return list.split(", ").map((element) => `${verb} ${set} ${element}`);
    });
}

test("values are refused, or nft gets exactly their elements", () => {
  const hostile = kinds.map((good) =>
    fc.record(
      Object.fromEntries(
        Object.entries(good).map(([column, value]) => [column, fc.option(anything(value), { nil: undefined })]),
      ),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(...hostile)), (given) => {
      const rows = given
        .map((one) => row.safeParse(one).data as Columns | undefined)
        .filter((one) => one !== undefined);
      const wanted = gathered(sets, rows);
      const said = readMoves(movesText(place, movesBetween(sets, new Map(), wanted)));
      assert.equal(
        said.length,
        [...wanted.values()].reduce((sum, { size }) => sum + size, 0),
      );
      for (const line of said) {
        assert.match(
          line,
          /^add (members[46] [0-9a-f:]{17} \. [0-9a-f:.]+|blocked [0-9.]+(\/[0-9]+)?|open [0-9.]+ \. [0-9]+ \. [0-9]+|rate [0-9.]+ : [0-9]+|way "[a-z0-9][a-z0-9_.-]*" : (accept|drop|continue|return|(jump|goto) [a-z][a-z0-9_./-]*))$/i,
        );
      }
      // The table has these elements, in lines of their own, and the rules.
      const whole = tableText(place, sets, wanted, rules);
      const lines = whole.split("\n").filter((line) => line.startsWith("\t\t\t"));
      assert.equal(lines.length, said.length);
      assert.ok(whole.endsWith(`${rules}\n}\n`));
    }),
  );
});

test("an element that moves between rows stays; a map's value changes", () => {
  const changes = [
    { key: "a", before: { mac: member.mac, ip: "10.0.0.1" }, after: undefined },
    { key: "b", before: undefined, after: { mac: member.mac, ip: "10.0.0.1" } },
    { key: "c", before: { ip: "10.0.0.2", rate: "1" }, after: { ip: "10.0.0.2", rate: "2" } },
  ];
  assert.deepEqual(readMoves(movesText(place, movesOf(sets, changes))), [
    "delete rate 10.0.0.2",
    "add rate 10.0.0.2 : 2",
  ]);
});

test("refused rows are found by bisection, and any other fault is thrown", async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => [`k${index}`, index] as const);
  let checks = 0;
  const refusing = (wrong: readonly number[]) => async (some: readonly (readonly [key: string, value: number])[]) => {
    checks += 1;
    if (some.some(([, value]) => wrong.includes(value))) throw new CommandFailed("nft exited 1: no", 1);
  };
  const { good: taken, refused } = await acceptedRows(rows, refusing([3, 700]), (value) => `element ${value}`);
  assert.deepEqual(
    refused,
    [3, 700].map((value) => ({ key: `k${value}`, why: `element ${value}: no` })),
  );
  assert.equal(taken.length, 998);
  assert.ok(checks < 50, `${checks} checks`);
  const all = rows.map(([, value]) => value);
  checks = 0;
  assert.equal((await acceptedRows(rows, refusing(all), String)).refused.length, 1000);
  assert.ok(checks < 200, `${checks} checks`);
  const broken = acceptedRows(rows, async () => Promise.reject(new CommandFailed("nft exited 1: rules", 1)), String);
  await assert.rejects(broken, /rules/);
});

test("the columns of an element are those of its row", () => {
  for (const good of kinds) {
    const told = elementsOf(sets, good).map(columnsOfElement);
    assert.deepEqual(Object.assign({}, ...told), good);
  }
});

test("an element that was removed by hand is a column that is missing", () => {
  const { mac, ip, rate } = member;
  const lacking = (seen: Columns) => lackingColumns(sets, unique, seen);
  assert.deepEqual({ ...lacking({ ip, rate }), ip, rate }, { mac: null, ip, rate });
  assert.deepEqual({ ...lacking({ mac, ip }), mac, ip }, { mac, ip, rate: null });
  assert.deepEqual(Object.keys(lacking({ mac, ip: "2001:db8::7" })), ["mac", "ip"]);
});

test("the boot files are read back as the applied elements, after any changes", () => {
  const rows = fc.array(
    fc.oneof(
      fc.record({
        mac: fc.constantFrom(member.mac, "00:00:00:00:00:01"),
        ip: fc.constantFrom("10.0.0.1", "2001:db8::1"),
      }),
      fc.record({ ip: fc.constantFrom("10.0.0.1", "10.0.0.2"), rate: fc.constantFrom("1", "2") }),
      fc.record({ port: fc.constantFrom("eth0", "lo"), to: fc.constantFrom("accept", "jump x") }),
    ),
  );
  fc.assert(
    fc.property(rows, rows, rows, (...states) => {
      const [first, second, third] = states.map((state) => gathered(sets, state as Columns[]));
      assert.ok(first && second && third);
      const since =
        movesText(place, movesBetween(sets, first, second)) + movesText(place, movesBetween(sets, second, third));
      const text = (wanted: typeof first, own = rules) => tableText(place, sets, wanted, own);
      assert.ok(sameContent(withMoves(text(first), since), withMoves(text(third), "")));
      assert.equal(sameContent(withMoves(text(first), ""), withMoves(text(second), "")), text(first) === text(second));
      assert.ok(!sameContent(withMoves(text(first), since), withMoves(text(third, "chain other { }"), "")));
    }),
  );
});

test("a change sends nft that change alone, checks it, and writes the small file", async () => {
  const { machine, run } = scene(nftables({ rules }));
  const calls: string[] = [];
  machine.program("nft", ({ arguments: words, input }) => void calls.push(`${words.join(" ")}\n${input ?? ""}`));
  await run({ a: pc }, { whole: true });
  const base = machine.text("/etc/nftables.d/trigger.nft");
  calls.length = 0;
  await run({ a: { ...pc, ip: "10.0.0.8" } });
  const [before, after] = ["aa:bb:cc:dd:ee:ff . 10.0.0.7", "aa:bb:cc:dd:ee:ff . 10.0.0.8"];
  const moves = `delete element inet trigger members4 { ${before} }\nadd element inet trigger members4 { ${after} }\n`;
  assert.deepEqual(calls, [
    `-f -\n${moves}`,
    `-c -f -\ncreate element inet trigger members4 { ${before} }\ndelete element inet trigger members4 { ${after} }\n`,
  ]);
  assert.equal(machine.text("/etc/nftables.d/trigger.nft"), base);
  assert.ok(machine.text("/etc/nftables.d/trigger.since-a")?.endsWith(moves));
  assert.ok(base?.endsWith('}\ninclude "/etc/nftables.d/trigger.since-a"\n'));
});

test("after many changes the base is written again, with the other small file", async () => {
  const { machine, run } = scene(nftables({ rules }));
  const rows = (from: number) =>
    Object.fromEntries(
      Array.from({ length: 500 }, (_, one) => [`k${one}`, { ...pc, ip: `10.${from}.${one >> 8}.${one & 255}` }]),
    );
  await run(rows(0), { whole: true });
  const text = (name: string) => machine.text(`/etc/nftables.d/trigger.${name}`) ?? "";
  for (let from = 1; text("nft").endsWith('since-a"\n'); from++) {
    assert.ok(from < 5);
    await run(rows(from));
  }
  assert.equal(text("since-b").split("\n").length, 2);
  assert.ok(text("since-a").length > 10_000 && text("since-a").length < 70_000);
});

test("an nft that hangs or is missing is away", async () => {
  const { machine, run } = scene(nftables({ rules }));
  machine.program("nft", () => Promise.reject(new Error("nft took longer than 5 s and was killed")));
  await assert.rejects(run({ a: pc }), { name: "Away", message: "nft does not end" });
  machine.program("nft", () => ({ code: 127, stderr: "nft: no such program" }));
  await assert.rejects(run({ a: pc }), { name: "Away", message: "nft is not installed (Debian: nftables)" });
});

test("a wrong option is one error that names its rule", () => {
  const wrong = (options: object, message: RegExp) =>
    assert.throws(() => nftables(options as never), { name: "UserError", message });
  wrong({}, /^nftables: rules: is missing/);
  wrong({ rules: "chain x {" }, /rules: has a \{ that is not closed/);
  wrong({ rules: "} table inet other { chain x { } " }, /rules: has a \} that ends the table/);
  wrong({ rules: 'chain x { log prefix "}" # }\n}', tabel: "x" }, /unknown option "tabel".*did you mean "table"/);
  wrong({ rules, table: "a b" }, /table: is not the name of a table/);
  const set = (one: object, more = {}) => ({ rules, select: () => undefined, sets: { s: one }, ...more });
  wrong(
    set({ type: "ether_adr", columns: ["mac"] }),
    /sets.s: type: unknown type "ether_adr".*did you mean "ether_addr"/,
  );
  wrong(set({ type: "ipv4_addr : mark", columns: ["ip"] }), /sets.s: columns: ip: expected one for each part/);
  wrong(set({ type: "ipv4_addr . ipv4_addr . mark", columns: ["a", "b"] }), /expected one for each part of .* \(3\)/);
  wrong(set({ type: "ipv4_addr", columns: ["ip"] }, { unique: ["mac"] }), /unique: two rows could be one element of s/);
  wrong({ rules, sets: { s: { type: "ipv4_addr", columns: ["net"] } } }, /select: is missing: .* not net/);
  wrong({ rules, on: { fw2: { rules: "}" } } }, /on.fw2: rules: has a }/);
});

test("by default each address of a machine of RFC 2307 is a row", () => {
  const machine = (ips: string[], macs = [pc.mac]) =>
    entry(["ieee802Device", "ipHost"], "pc7", { macaddress: macs, iphostnumber: ips });
  const service = nftables({ rules });
  assert.deepEqual(selected(service, machine(["10.0.0.7", "2001:db8::7"])), [
    { mac: pc.mac, ip: "10.0.0.7" },
    { mac: pc.mac, ip: "2001:db8::7" },
  ]);
  assert.equal(selected(service, machine([])), undefined);
  assert.equal(selected(service, entry(["ipHost"], "pc7", { iphostnumber: ["10.0.0.7"] })), undefined);
  assert.throws(
    () => selected(service, machine(["10.0.0.7"], [pc.mac, "00:00:00:00:00:01"])),
    /macAddress has several/,
  );
  assert.deepEqual(tableOf(service).unique, ["ip"]);
});
