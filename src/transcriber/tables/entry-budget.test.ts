import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import type { EvaluationLimits } from "../../core/config/evaluation.ts";
import type { Directory, Entry, StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { postfix } from "../../services/postfix.ts";
import { transcription } from "./transcription.ts";

const numbers = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

function tables(table: Table | undefined, entries: readonly StoredEntry[], evaluation: EvaluationLimits = {}) {
  assert.ok(table);
  const made = transcription(new Map([["one", table]]), { timezone: "UTC", evaluation });
  let steps = 0;
  const work = made.sliced(() => {}).refresh(entries, 0);
  while (!work.next().done) steps++;
  return {
    rows: [...made.table("one").entries()].length - made.refusedCount("one"),
    why: [...made.refused("one")].map(({ why }) => why),
    steps,
  };
}

const tableOf = (made: object): Table | undefined => ("table" in made ? (made.table as Table) : undefined);

const members = tableOf(
  service({
    row: z.object({ name: z.string() }),
    unique: ["name"],
    select: (group) => group.all("member").map((name) => ({ name })),
    run: async () => {},
  }),
);

const list = (names: number, recipients: number): StoredEntry =>
  stored("list", "cn=a0,dc=x", {
    objectClass: "nisMailAlias",
    cn: numbers("a", names),
    rfc822MailMember: numbers("m", recipients).map((name) => `${name}@campus.example`),
  });
const aliases = tableOf(postfix({ postmap: false }));

test("a group of 20,000 members gives a row for each, in steps", () => {
  const group = stored("g", "cn=g,dc=x", { member: numbers("uid=member,ou=people,dc=campus,dc=example ", 20_000) });
  const { rows, why, steps } = tables(members, [group]);
  assert.deepEqual([rows, why], [20_000, []]);
  assert.ok(steps >= 20, `${steps} steps`);
});

test("an entry with too many rows is refused with their number, limit and remedy", () => {
  const group = stored("g", "cn=g,dc=x", { member: numbers("m", 50_001) });
  const { rows, why } = tables(members, [group, stored("h", "cn=h,dc=x", { member: "one" })]);
  assert.equal(rows, 1);
  assert.deepEqual(why, [
    "the entry gives 50001 rows, the limit is 50000: give fewer or smaller rows in select, or divide the entry",
  ]);
  assert.equal(tables(members, [stored("g", "cn=g,dc=x", { member: numbers("m", 50_000) })]).rows, 50_000);
});

test("an entry with too many bytes is refused whole, and its other rows unread", () => {
  for (const [names, recipients] of [
    [2000, 2000],
    [4000, 4000], // each of these rows is too big by itself
  ] as const) {
    const { rows, why, steps } = tables(aliases, [list(names, recipients)]);
    assert.equal(rows, 0);
    assert.match(
      why.join(),
      /^the first \d+ of the \d+ rows of the entry have \d+ bytes, the limit is 8388608: give fewer/,
    );
    assert.ok(steps < 300, `${steps} steps`);
  }
  assert.equal(tables(aliases, [list(50, 1000)]).rows, 50);
});

test("the names of a list share one list of recipients", () => {
  const entry = { is: () => true, has: () => true, all: (name: string) => (name === "cn" ? ["a", "b"] : ["m"]) };
  const rows = aliases?.select(entry as never, {} as never) as { to: unknown }[];
  assert.equal(rows[0]?.to, rows[1]?.to);
});

/** The reasons for which a group of five members is refused, within some limits. */
function refusedWithin(evaluation: EvaluationLimits, select: (group: Entry, directory: Directory) => unknown) {
  const row = z.object({ name: z.array(z.string()) });
  const table = tableOf(service({ row, unique: ["name"], select: select as never, run: async () => {} }));
  const member = (name: string): StoredEntry => stored(name, `cn=${name},dc=x`, { kind: "member" });
  const group = stored("g", "cn=g,dc=x", { kind: "group", member: numbers("cn=m", 5).map((name) => `${name},dc=x`) });
  const all = [group, ...numbers("m", 5).map(member)];
  const [why, reverse] = [all, all.toReversed()].map((entries) => tables(table, entries, evaluation).why);
  assert.deepEqual(why, reverse, "the order of evaluations decides");
  return why;
}

test("an entry that reads or compares too much is refused, in any order", () => {
  const ofGroup = (select: (group: Entry, directory: Directory) => unknown) => (entry: Entry, directory: Directory) =>
    entry.name === "g" ? select(entry, directory) : undefined;
  for (const [limits, limit, select] of [
    ["looks", 17, (group, directory) => ({ name: directory.follow(group, "member").map(({ name }) => name) })],
    ["looks", 12, (_, directory) => ({ name: directory.where("kind", "member").map((one) => one.name) })],
    ["comparisons", 10, (group, directory) => ({ name: directory.follow(group, "member").map(({ uuid }) => uuid) })],
    [
      "comparisons",
      3,
      (_, directory) => ({ name: [`${directory.during(new Date(0), undefined)}${directory.reached(new Date(0))}`] }),
    ],
    ["comparisons", 2, (_, directory) => ({ name: [`${directory.where("kind", "x".repeat(1_000)).length}`] })],
    ["comparisons", 5, (group) => [{ name: group.all("member") }]],
  ] as [keyof EvaluationLimits, number, (group: Entry, directory: Directory) => unknown][]) {
    assert.deepEqual(refusedWithin({ [limits]: limit }, ofGroup(select)), [], `${limits}: ${limit}`);
    const [why = "", ...more] = refusedWithin({ [limits]: limit - 1 }, ofGroup(select)) ?? [];
    assert.match(why, new RegExp(`more than ${limit - 1} `), `${select}`);
    assert.deepEqual(more, []);
    const caught = (group: Entry, directory: Directory): unknown => {
      try {
        return select(group, directory);
      } catch {
        return { name: ["caught"] };
      }
    };
    assert.deepEqual(refusedWithin({ [limits]: limit - 1 }, ofGroup(caught)), [why]);
  }
});
