import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../core/service/host-api.ts";
import type { Change, Rows } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { converge, overtaken, type Records } from "./records.ts";

interface Lease {
  readonly [column: string]: string | undefined;
  readonly mac: string;
  readonly ip: string;
  /** A second record, by another name. */
  readonly also?: string;
}
type Table = Record<string, Lease>;

/** A daemon as a map that others write to, with the calls of a service. */
function daemon(first: Record<string, string> = {}) {
  const has = new Map(Object.entries(first));
  const ours = new Map<string, string>();
  const done: string[] = [];
  const refuses = new Set<string>();
  /** The writes of another program just before the next one of the service. */
  const others = new Map<string, string>();
  const host = {
    service: "dhcp",
    log: (line: string) => void done.push(`log ${line}`),
    owned: {
      has: (name, record) => ours.get(name) === "" || ours.get(name) === `gone ${record}`,
      names: () => [...ours.keys()].filter((name) => ours.get(name) === ""),
      claim(names) {
        for (const name of names) ours.set(name, "");
      },
      release(records) {
        for (const [name, record] of records) ours.set(name, `gone ${record}`);
      },
      hold: () => {},
    },
  } as Pick<Host, "service" | "log" | "owned"> as Host;
  const records: Records<Lease, string> = {
    of: ({ mac, ip, also }) => [[mac, ip], ...(also === undefined ? [] : [[also, mac] as const])],
    async look(names) {
      done.push(`look ${names ? [...names].join(" ") : "at all"}`);
      return new Map([...has].filter(([name]) => names === undefined || names.has(name)));
    },
    async write(moves) {
      const refused = new Map<string, string | typeof overtaken>();
      for (const [name, content] of others) has.set(name, content);
      const compares = others.size > 0;
      others.clear();
      for (const { name, before, after } of moves) {
        if (compares && has.get(name) !== before) {
          refused.set(name, overtaken);
          continue;
        }
        done.push(after === undefined ? `remove ${name}` : `put ${name} ${after}`);
        if (refuses.has(name)) refused.set(name, "no such subnet");
        else if (after === undefined) has.delete(name);
        else has.set(name, after);
      }
      return refused;
    },
  };
  const run = async (rows: Table, before?: Table, interrupted = false) => {
    done.length = 0;
    const changes = before && changesOf(before, rows);
    const { result } = await converge({ rows: rowsOf(rows), changes, interrupted }, host, records);
    return result;
  };
  return { has, ours, done, refuses, others, run };
}

function rowsOf(table: Table): Rows<Lease> {
  const entries = Object.entries(table);
  return {
    size: entries.length,
    get: (key) => table[key],
    entries: () => entries,
    *[Symbol.iterator]() {
      yield* Object.values(table);
    },
  };
}

const changesOf = (before: Table, after: Table): Change<Lease>[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((key) => ({ key, before: before[key], after: after[key] }) as Change<Lease>)
    .filter((change) => canonical(change.before ?? null) !== canonical(change.after ?? null));

const a = { mac: "aa", ip: "1" };
const b = { mac: "bb", ip: "2" };

test("a full run writes only the difference, and leaves foreign records alone", async () => {
  const on = daemon({ zz: "9" });
  await on.run({ a, b });
  assert.deepEqual(on.done, ["look at all", "put aa 1", "put bb 2"]);
  await on.run({ a, b });
  assert.deepEqual(on.done, ["look at all"]);
  on.has.set("bb", "7");
  await on.run({ a, b });
  assert.deepEqual(on.done, ["look at all", "put bb 2"]);
  await on.run({});
  assert.deepEqual([...on.has], [["zz", "9"]]);
});

test("a change of a name that is known costs no look", async () => {
  const on = daemon();
  await on.run({ a });
  await on.run({ a: { mac: "aa", ip: "3" } }, { a });
  assert.deepEqual(on.done, ["put aa 3"]);
  await on.run({}, { a: { mac: "aa", ip: "3" } });
  assert.deepEqual(on.done, ["remove aa"]);
});

test("a foreign record is not overwritten: its row is held until adopted", async () => {
  for (const before of [undefined, {}]) {
    const on = daemon({ aa: "9" });
    const { held } = await on.run({ a, b }, before);
    assert.deepEqual(
      held?.map(({ key }) => key),
      ["a"],
    );
    assert.match(held?.[0]?.why ?? "", /aa has "9" there.*wanted: "1".*trigger adopt dhcp aa/);
    assert.deepEqual(
      [...on.has],
      [
        ["aa", "9"],
        ["bb", "2"],
      ],
    );
    on.ours.set("aa", "");
    await on.run({ a, b }, before && { b });
    assert.equal(on.has.get("aa"), "1");
  }
});

test("a foreign record that looks like the row's is neither claimed nor removed", async () => {
  for (const before of [undefined, {}]) {
    const on = daemon({ aa: "1" });
    const { held } = await on.run({ a, b }, before);
    assert.deepEqual(
      held?.map(({ key }) => key),
      ["a"],
    );
    assert.match(held?.[0]?.why ?? "", /aa has "1" there, .* \(the same is wanted\): `trigger adopt dhcp aa`/);
    await on.run({ b }, before && { a, b });
    await on.run({ b });
    assert.equal(on.has.get("aa"), "1", "the member's row is gone, and the record is not");
  }
});

test("an approved record that looks like the row's is the service's own", async () => {
  const on = daemon({ aa: "1" });
  on.ours.set("aa", 'gone "1"'); // as an approval, which is of this content alone
  assert.deepEqual((await on.run({ a })).held, []);
  assert.equal(on.ours.get("aa"), "");
  await on.run({}, { a });
  assert.equal(on.has.size, 0);
});

test("records touched by an unfinished run are looked at again", async () => {
  const on = daemon();
  await on.run({ a });
  on.has.set("aa", "3");
  await on.run({ a }, { a }, true);
  const back = await on.run({ a: { mac: "aa", ip: "4" } }, { a }, true);
  assert.deepEqual(on.done, ["look aa", "put aa 4"]);
  assert.deepEqual(back.held, []);
});

test("a released record from a backup is ours, a foreign one is not", async () => {
  const on = daemon();
  await on.run({ a });
  await on.run({}, { a });
  on.has.set("aa", "5");
  await on.run({});
  assert.deepEqual([...on.has], [["aa", "5"]]);
  on.ours.set("aa", `gone ${canonical("1")}`);
  on.has.set("aa", "1");
  await on.run({});
  assert.deepEqual([...on.has], []);
});

test("a record that the daemon refuses is its row's refusal, others go in", async () => {
  const on = daemon();
  on.refuses.add("aa");
  assert.deepEqual((await on.run({ a, b })).refused, [{ key: "a", why: "no such subnet" }]);
  assert.equal(on.has.get("bb"), "2");
});

test("a refused name created by others later is foreign", async () => {
  const on = daemon();
  on.refuses.add("aa");
  await on.run({ a });
  on.has.set("aa", "9");
  assert.deepEqual(
    (await on.run({ a })).held?.map(({ key }) => key),
    ["a"],
  );
  await on.run({});
  assert.deepEqual([...on.has], [["aa", "9"]]);
});

test("a record removed by hand and created by others later is foreign", async () => {
  for (const interrupted of [true, false]) {
    const { run, has, others } = daemon();
    const [a, b] = [
      { mac: "aa", ip: "1" },
      { mac: "bb", ip: "2" },
    ];
    await run({ a, b });
    has.delete("aa");
    others.set("zz", "9");
    await run({ b }, { a, b }, interrupted);
    has.set("aa", "7");
    await run({ b });
    assert.equal(has.get("aa"), "7");
  }
});

test("a record missing at a full run and created later is foreign", async () => {
  const { run, has, ours } = daemon();
  ours.set("typo", "");
  await run({ a: { mac: "aa", ip: "1" } });
  has.set("typo", "7");
  await run({ a: { mac: "aa", ip: "1" } });
  assert.equal(has.get("typo"), "7");
});

test("two rows that swap their names are one write, whose removals come first", async () => {
  const on = daemon();
  await on.run({ a, b });
  await on.run({ a: { mac: "bb", ip: "1" }, b: { mac: "aa", ip: "2" } }, { a, b });
  assert.deepEqual(on.done, ["put aa 2", "put bb 1"]);
});

test("a great part of the table is brought by comparing the whole", async () => {
  const on = daemon();
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, { mac: `m${i}`, ip: `${i}` }]));
  await on.run(many, {});
  assert.equal(on.done[0], "look at all");
  assert.equal(on.has.size, 300);
});

test("a row is held with all of its records", async () => {
  for (const before of [undefined, {}]) {
    const on = daemon({ "1.aa": "zz" });
    const { held } = await on.run({ a: { ...a, also: "1.aa" }, b }, before);
    assert.deepEqual(
      held?.map(({ key }) => key),
      ["a"],
    );
    assert.deepEqual([...on.has.keys()], ["1.aa", "bb"]);
  }
});

test("a foreign write between look and write is not overwritten", async () => {
  const on = daemon();
  on.others.set("aa", "9");
  assert.deepEqual(
    (await on.run({ a, b })).held?.map(({ key }) => key),
    ["a"],
  );
  assert.deepEqual(Object.fromEntries(on.has), { aa: "9", bb: "2" });
  assert.match((await on.run({ a, b })).held?.[0]?.why ?? "", /aa has "9"/);
});

test("a record of ours changed before the write is brought to its row", async () => {
  const on = daemon();
  await on.run({ a });
  on.others.set("aa", "9");
  assert.deepEqual(await on.run({ a: { mac: "aa", ip: "3" } }, { a }), { refused: [], held: [] });
  assert.deepEqual(on.done, ["look aa", "put aa 3"]);
});

test("a record that the daemon refused is foreign when created later", async () => {
  const on = daemon();
  on.refuses.add("aa");
  await on.run({ a });
  on.refuses.clear();
  on.has.set("aa", "9");
  assert.equal((await on.run({ a })).held?.length, 1);
});
