import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { isUndecided } from "../../core/stream/cells.ts";
import { type Watch, watch } from "./interrupt.ts";
import { transcription } from "./transcription.ts";
import { UnfinishedEntries } from "./unfinished.ts";

const noon = Date.UTC(2026, 0, 1, 12);
const minute = 60_000;
const machine = (name: string, how = "well"): StoredEntry => stored(name, `cn=${name},dc=x`, { how });

/** The tables of one service, whose entries have a tenth of a second each. */
function tables(select: Table["select"], { row = z.object({ how: z.string() }), by = watch } = {}) {
  const { table } = service({ row, select: select as never, run: async () => {} });
  const lines: string[] = [];
  const evaluation = { seconds: 0.1 };
  const log = (line: string) => void lines.push(line);
  const made = transcription(new Map([["dns", table as Table]]), { timezone: "UTC", evaluation }, { log, watch: by });
  const cells = (): Record<string, string> => Object.fromEntries(made.table("dns").entries());
  return { made, cells, lines };
}

const endless: Readonly<Record<string, () => unknown>> = {
  loop() {
    for (;;);
  },
  expression: () => /^(a+)+$/.test(`${"a".repeat(40)}!`),
  caught() {
    for (;;) {
      try {
        for (;;);
      } catch {
        // another try
      } finally {
        for (;;);
      }
    }
  },
  sleep: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
};

for (const how of Object.keys(endless)) {
  test(`a select that never ends (${how}) is interrupted, and others have their rows`, () => {
    const { made, cells, lines } = tables((entry) => {
      endless[entry.one("how")]?.();
      return { how: entry.one("how") };
    });
    made.refresh([machine("a"), machine("b"), machine("c")], noon);
    made.change([machine("b", how), machine("c", "new")], [], noon + 1);
    const { a, b, c } = cells();
    assert.deepEqual([a, c], ['{"how":"well"}', '{"how":"new"}']);
    assert.ok(isUndecided(b ?? ""), b);
    assert.deepEqual(made.unfinished("dns"), [{ dn: "cn=b,dc=x", since: noon + 1 }]);
    assert.match(lines.join(), /^dns: select does not end in time for cn=b,dc=x, so its rows stay/);
    made.change([machine("b")], [], noon + 2);
    assert.equal(cells().b, '{"how":"well"}');
    assert.deepEqual(made.unfinished("dns"), []);
    assert.match(lines.at(-1) ?? "", /ends again for cn=b/);
  });
}

test("a column's expression that never ends is interrupted like select", () => {
  const row = z.object({ how: z.string().regex(/^(a+)+$/) });
  const { made, cells } = tables((entry) => [{ how: "aa" }, { how: entry.one("how") }], { row });
  made.refresh([machine("a", "aaa"), machine("b", `${"a".repeat(40)}!`)], noon);
  assert.deepEqual(
    Object.keys(cells())
      .map((key) => key[0])
      .sort(),
    ["a", "a", "b"],
  );
  assert.ok(isUndecided(cells().b ?? ""));
});

test("an entry of many slow rows has the time of one evaluation", () => {
  const { made, cells } = tables((entry) =>
    Array.from({ length: 1_000 }, (_, index) => ({
      get how() {
        const end = performance.now() + 10;
        while (performance.now() < end);
        return `${entry.one("how")}${index}`;
      },
    })),
  );
  const begun = performance.now();
  made.refresh([machine("a")], noon);
  assert.ok(performance.now() - begun < 5_000);
  assert.ok(isUndecided(cells().a ?? ""));
});

test("a large answer is prepared in slices, outside the time of its askers", () => {
  const all = Array.from({ length: 25_000 }, (_, index) => machine(`m${index}`));
  const top = stored("top", "dc=x", { how: "top" });
  const { made, cells } = tables((entry, directory) => {
    if (entry.name !== "m7" && entry.name !== "x") return undefined;
    const [first] = directory.where("how", "well");
    const children = directory.children(directory.get("dc=x") as never);
    return { how: `${first?.name} ${children.length}` };
  });
  const sizes: number[] = [];
  const { sort } = Array.prototype;
  Array.prototype.sort = function (this: unknown[], ...how: Parameters<typeof sort>) {
    sizes.push(this.length);
    return sort.apply(this, how);
  } as typeof sort;
  try {
    made.refresh([top, ...all], noon);
  } finally {
    Array.prototype.sort = sort;
  }
  assert.deepEqual(cells(), { m7: '{"how":"m0 25000"}', top: cells().top });
  assert.ok(Math.max(...sizes) <= 10_000, `${Math.max(...sizes)}`);
});

test("it is tried again ever more rarely, and when its reads change", () => {
  let [tries, isEndless] = [0, true];
  const { made, cells } = tables((entry, directory) => {
    if (entry.name !== "a") return undefined;
    const other = directory.get("cn=b,dc=x")?.maybe("how");
    tries += 1;
    while (isEndless);
    return { how: `${other}` };
  });
  made.refresh([machine("a"), machine("b")], noon);
  const triedAt = (time: number): boolean => {
    const before = tries;
    made.tick(time);
    return tries > before;
  };
  let at = noon;
  for (const wait of [1, 2, 4]) {
    assert.equal(triedAt(at + wait * minute - 1), false);
    at += wait * minute;
    assert.equal(triedAt(at), true, `${wait} minutes`);
  }
  isEndless = false;
  made.change([machine("b", "other")], [], at + 1);
  assert.equal(cells().a, '{"how":"other"}');
  assert.equal(made.nextTime(), undefined);
});

test("a process that stood still says nothing about select", () => {
  let [now, runs, selects] = [0, 0, 0];
  const suspended: Watch = {
    now: () => (now += 1_000),
    cpu: () => 0,
    run(work) {
      work();
      return ++runs > 1;
    },
  };
  const select: Table["select"] = (entry) => {
    selects += 1;
    return [{ how: entry.one("how") }, { how: "second" }];
  };
  const { made, cells, lines } = tables(select, { by: suspended });
  made.refresh([machine("a")], noon);
  assert.deepEqual([selects, Object.keys(cells()).length, lines], [2, 2, []]);
});

test("each change of an endless entry has half the time", () => {
  const entries = new UnfinishedEntries(2_000);
  const limit = (time: number) => entries.limitOf("dns", "a", time, 0);
  const interrupted = (time: number) =>
    entries.interrupted("dns", { uuid: "a", dn: "cn=a" }, { time, now: 0, took: 0 }).retryAt;
  assert.equal(limit(noon), 2_000);
  assert.equal(interrupted(noon), noon + minute);
  assert.equal(limit(noon + 1), 1_000);
  assert.equal(interrupted(noon + 1), noon + minute);
  assert.equal(limit(noon + 2), 500);
  for (let more = 0; more < 10; more++) interrupted(noon + 3);
  assert.equal(limit(noon + 4), 2_000 / 64);
  assert.equal(limit(noon + minute), 2_000);
  assert.equal(interrupted(noon + minute), noon + 3 * minute);
});

test("many endless entries take a tenth of the time", () => {
  const entries = new UnfinishedEntries(2_000);
  entries.ended("dns", "large", 300);
  for (let each = 0; each < 5; each++) {
    assert.equal(entries.limitOf("dns", `${each}`, noon, 0), 2_000);
    entries.interrupted("dns", { uuid: `${each}`, dn: "" }, { time: noon, now: 0, took: 2_000 });
  }
  assert.equal(entries.limitOf("dns", "next", noon, 0), 2_000 / 64);
  assert.equal(entries.limitOf("dns", "large", noon, 0), 1_200);
  assert.equal(entries.limitOf("dns", "next", noon, 10_000), 2_000);
});

test("of many endless entries ten are logged, and the others have their cells", () => {
  const { made, cells, lines } = tables((entry) => {
    while (entry.one("how") === "loop");
    return { how: "well" };
  });
  const odd = Array.from({ length: 30 }, (_, index) => machine(`odd${index}`, "loop"));
  made.refresh([...odd, machine("well")], noon);
  assert.equal(lines.length, 11);
  assert.match(lines.at(-1) ?? "", /^dns: and more such entries: `trigger status` counts them/);
  assert.equal(made.unfinished("dns").length, 30);
  assert.equal(Object.values(cells()).filter(isUndecided).length, 30);
  assert.equal(cells().well, '{"how":"well"}');
});
