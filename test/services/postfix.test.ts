import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Held, reason } from "../../src/core/util/errors.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { dryMachine } from "../../src/machines/dry.ts";
import { aliasRow, aliasText, postfix } from "../../src/services/postfix.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, hostOn, quietMachine, rowsOf, scene, selected, tableOf } from "./scene.ts";

const path = "/etc/postfix/trigger-virtual";
const bureau = { alias: "Bureau@Campus.Example", to: ["bob@campus.example", "alice", "alice"] };

/** A machine whose postmap works on maps as the real one does; a map's file is its text. */
function machineOf(): MemoryMachine & { readonly calls: string[] } {
  const machine = quietMachine({ [`${path}.old`]: "" });
  const calls: string[] = [];
  const read = (text: string): Map<string, string> =>
    new Map(text.split("\n").flatMap((line) => (/^[^\s#]/.test(line) ? [split(line)] : [])));
  const lines = (map: Map<string, string>): string => [...map].map(([name, to]) => `${name}\t${to}\n`).join("");
  machine.program("postmap", async ({ arguments: words, input = "" }) => {
    const [type = "", path = ""] = (words.at(-1) ?? "").split(":");
    const file = `${path}.${type}`;
    const given = input.split("\n").filter((line) => line !== "");
    const has = machine.text(file);
    calls.push(words.slice(0, -1).join(" "));
    const put = async (map: Map<string, string>) => {
      await machine.files.write(file, lines(map));
      return {};
    };
    if (words.length === 1) return put(read(machine.text(path) ?? ""));
    if (has === undefined && words[0] !== "-i") return { code: 1, stderr: "open database: No such file" };
    const map = read(has ?? "");
    if (words[0] === "-s") return { stdout: lines(map) };
    if (words[0] === "-i") return put(new Map([...map, ...read(input)]));
    const found = given.filter((name) => map.has(name));
    if (words[0] === "-q") {
      return {
        code: found.length > 0 ? 0 : 1,
        stdout: lines(new Map([...map].filter(([name]) => found.includes(name)))),
      };
    }
    for (const name of found) map.delete(name);
    await put(map);
    return { code: found.length > 0 ? 0 : 1 };
  });
  machine.program("mv", async ({ arguments: words }) => {
    await machine.files.rename(words[1] ?? "", words[2] ?? "");
    return {};
  });
  return Object.assign(machine, { calls });
}

const split = (line: string): [string, string] => {
  const [, name = "", to = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
  return [name, to];
};

/** A reader of virtual(5) of its own, strict: a line that it does not know makes it fail. */
function readAliases(text: string): { alias: string; to: string[] }[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, alias, to] = /^([a-z0-9][^\s,]*|[_+=&~][^\s,]*) (\S+(?:, \S+)*)$/.exec(line) ?? [];
      assert.ok(alias && to, `not an alias: ${JSON.stringify(line)}`);
      return { alias, to: to.split(", ") };
    });
}

conform("postfix", postfix(), [bureau, { alias: "root", to: ["alice"] }], { machine: machineOf });

const map = `${path}.lmdb`;
const root = { alias: "root", to: ["alice"] };

test("an alias is in lower case, its recipients once and in order", () => {
  const text = aliasText([aliasRow.parse(bureau)]);
  assert.deepEqual(readAliases(text), [{ alias: "bureau@campus.example", to: ["alice", "bob@campus.example"] }]);
});

test("a first map is built aside; a change is one put and one deletion", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  await run({ a: bureau, b: root }, { whole: true });
  assert.deepEqual(machine.calls, ["-s", "", "-s", "-q -"].slice(1));
  assert.equal(machine.text(map), "bureau@campus.example\talice, bob@campus.example\nroot\talice\n");
  machine.calls.length = 0;
  assert.deepEqual(await run({ b: root, c: { alias: "new", to: ["bob"] } }), { serving: true });
  assert.deepEqual(machine.calls, ["-i -r", "-d -", "-q -"]);
  assert.equal(machine.text(map), "root\talice\nnew\tbob\n");
  assert.equal(machine.text(path), undefined);
});

test("two aliases are swapped without either being missing", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  const other = { alias: "bureau", to: ["bob"] };
  await run({ a: root, b: other }, { whole: true });
  machine.calls.length = 0;
  await run({ a: { ...root, alias: "bureau" }, b: { ...other, alias: "root" } });
  assert.deepEqual(machine.calls, ["-i -r", "-q -"]);
  assert.equal(machine.text(map), "root\tbob\nbureau\talice\n");
});

test("a full run repairs the differences alone, and writes nothing without any", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  await run({ a: root, b: bureau }, { whole: true });
  await machine.files.write(map, `root\tmallory\nextra\tmallory\n${machine.text(map)?.split("\n")[1]}\n`);
  machine.calls.length = 0;
  await run({ a: root, b: bureau }, { whole: true });
  assert.deepEqual(machine.calls, ["-s", "-i -r", "-d -", "-q -"]);
  machine.calls.length = 0;
  await run({ a: root, b: bureau }, { whole: true });
  assert.deepEqual(machine.calls, ["-s"]);
});

test("a run after an interrupted one compares the whole map", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  await run({ a: root }, { whole: true });
  await machine.files.write(map, "root\talice\nhalf\tbob\n");
  await run({ a: { ...root, to: ["bob"] } }, { interrupted: true });
  assert.equal(machine.text(map), "root\tbob\n");
});

test("a broken or missing map is made again", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  await run({ a: root }, { whole: true });
  await machine.files.remove(map);
  await run({ a: root, b: bureau });
  assert.match(machine.text(map) ?? "", /^root\talice\nbureau/);
});

for (const type of ["lmdb", "cdb"] as const) {
  test(`a foreign ${type} is held until approved, unless it equals the rows`, async () => {
    const machine = machineOf();
    const file = `${path}.${type}`;
    const foreign = type === "lmdb" ? "root\tmallory\n" : "x";
    await machine.files.write(file, foreign);
    const { run } = scene(postfix({ type }), { machine });
    await assert.rejects(run({ a: root }, { whole: true }), Held);
    assert.equal(machine.text(file), foreign);
    if (type === "cdb") await assert.rejects(run({}, { whole: true }), Held); // it is no map at all
    if (type === "cdb") return;
    await scene(postfix({ type }), { machine, approved: [file] }).run({ a: root }, { whole: true });
    assert.equal(machine.text(file), "root\talice\n");
    const again = scene(postfix({ type }), { machine });
    await again.run({ a: root }, { whole: true });
    assert.match(again.log.join("\n"), /has the very aliases, but trigger did not write it/);
  });
}

test("a dry run notes its commands, and runs none", async () => {
  const machine = dryMachine(machineOf());
  const service = tableOf(postfix());
  const rows = rowsOf(new Map([["a", service.row.parse(root) as Columns]]));
  await service.run({ rows, changes: undefined, interrupted: false }, hostOn(machine));
  assert.deepEqual(
    machine.noted().commands.map(({ command }) => "socket" in command || command.join(" ")),
    [`postmap lmdb:${path}.trigger-new`, `mv -T ${path}.trigger-new.lmdb ${map}`],
  );
});

test("a map that does not take a change fails the run", async () => {
  const machine = machineOf();
  const { run } = scene(postfix(), { machine });
  await run({ a: root }, { whole: true });
  const { calls } = machine;
  machine.program("postmap", ({ arguments: words }) =>
    words[0] === "-q" ? { stdout: "root\talice\n" } : { code: calls.length * 0 },
  );
  await assert.rejects(run({ a: { ...root, to: ["bob"] } }), (error) =>
    /has alice for root, and should have bob/.test(reason(error)),
  );
});

test("whole domains, commands, files and inclusions are neither aliases nor recipients", () => {
  for (const bad of [
    "@campus.example",
    "|/bin/sh",
    "/etc/passwd",
    ":include:/etc/passwd",
    '"a b"@c.example',
    "a,b",
    "#a",
    "-a",
    "",
  ]) {
    assert.equal(aliasRow.safeParse({ alias: bad, to: ["alice"] }).success, false, `alias ${bad}`);
    assert.equal(aliasRow.safeParse({ alias: "a", to: ["alice", bad] }).success, false, `recipient ${bad}`);
  }
  assert.equal(
    aliasRow.safeParse({ alias: "a", to: [] }).error?.issues[0]?.message,
    "is empty: an alias needs a recipient",
  );
});

test("any values are refused, or give exactly their line", () => {
  const alias = fc.oneof(anything("bureau"), anything("bureau@campus.example"), fc.emailAddress());
  fc.assert(
    fc.property(fc.array(fc.record({ alias, to: fc.array(alias) })), (given) => {
      const rows = given.flatMap((row) => aliasRow.safeParse(row).data ?? []);
      const meant = rows.map(({ alias, to }) => ({ alias, to: [...new Set(to)].sort() }));
      assert.deepEqual(readAliases(aliasText(rows)), meant);
    }),
  );
});

test("by default each name of a nisMailAlias is an alias", () => {
  const alias = entry(["nisMailAlias"], "bureau", { cn: ["bureau", "office"], rfc822mailmember: ["bob", "alice"] });
  assert.deepEqual(selected(postfix(), alias), [
    { alias: "bureau", to: ["alice", "bob"] },
    { alias: "office", to: ["alice", "bob"] },
  ]);
  assert.equal(selected(postfix(), entry(["nisMailAlias"], "empty", { cn: ["empty"] })), undefined);
});

test("a map without postmap is observed by its text", async () => {
  const { run, observe } = scene(postfix({ postmap: false }));
  assert.deepEqual(await observe(), []);
  await run({ bureau });
  assert.deepEqual(await observe(), [{ alias: "bureau@campus.example", to: ["alice", "bob@campus.example"] }]);
});
