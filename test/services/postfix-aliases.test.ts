import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { reason } from "../../src/core/outcome.ts";
import type { MemoryMachine } from "../../src/machines/memory.ts";
import { aliasMap, aliasRow, postfixAliases } from "../../src/services/postfix-aliases.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, quietMachine, scene, selected } from "./scene.ts";

const path = "/etc/postfix/trigger-virtual";
const bureau = { alias: "Bureau@Campus.Example", to: ["bob@campus.example", "alice", "alice"] };

/** A machine whose postmap makes maps of texts, as the real one does. */
function postfix(): MemoryMachine & { readonly maps: Map<string, Map<string, string>> } {
  const machine = quietMachine();
  const maps = new Map<string, Map<string, string>>();
  machine.program("postmap", ({ arguments: words, input }) => {
    const name = words.at(-1) ?? "";
    if (words[0] !== "-q") {
      const text = machine.text(name.slice(name.indexOf(":") + 1)) ?? "";
      maps.set(name, new Map(readAliases(text).map(({ alias, to }) => [alias, to.join(", ")])));
      return {};
    }
    const found = (input ?? "").split("\n").filter((alias) => maps.get(name)?.has(alias));
    const stdout = found.map((alias) => `${alias}\t${maps.get(name)?.get(alias)}\n`).join("");
    return { code: found.length > 0 ? 0 : 1, stdout };
  });
  return Object.assign(machine, { maps });
}

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

conform("postfixAliases", postfixAliases(), [bureau, { alias: "root", to: ["alice"] }], { machine: postfix });

test("an alias is in lower case, its recipients once and in order", () => {
  const text = aliasMap([aliasRow.parse(bureau)]);
  assert.deepEqual(readAliases(text), [{ alias: "bureau@campus.example", to: ["alice", "bob@campus.example"] }]);
});

test("the map is made of the text and proved by looking every alias up, also one that is gone", async () => {
  const machine = postfix();
  const { run } = scene(postfixAliases({ type: "lmdb" }), { machine });
  await run({ a: bureau, b: { alias: "root", to: ["alice"] } });
  assert.deepEqual([...(machine.maps.get(`lmdb:${path}`)?.keys() ?? [])], ["bureau@campus.example", "root"]);
  await run({ b: { alias: "root", to: ["alice"] } });
  assert.deepEqual([...(machine.maps.get(`lmdb:${path}`)?.keys() ?? [])], ["root"]);
  await run({});
  assert.equal(machine.maps.get(`lmdb:${path}`)?.size, 0);
});

test("a map that keeps an alias that is gone is not taken for proved", async () => {
  const machine = postfix();
  const { run } = scene(postfixAliases({ reload: ["true"] }), { machine });
  machine.maps.set(`cdb:${path}`, new Map([["root", "alice"]]));
  await run({ b: { alias: "root", to: ["alice"] } });
  await assert.rejects(run({}), (error) => /cdb:\S+ has alice for root, and \S+ has nothing/.test(reason(error)));
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

test("whatever the values are, they are refused or give the one line meant", () => {
  const alias = fc.oneof(anything("bureau"), anything("bureau@campus.example"), fc.emailAddress());
  fc.assert(
    fc.property(fc.array(fc.record({ alias, to: fc.array(alias) })), (given) => {
      const rows = given.flatMap((row) => aliasRow.safeParse(row).data ?? []);
      const meant = rows.map(({ alias, to }) => ({ alias, to: [...new Set(to)].sort() }));
      assert.deepEqual(readAliases(aliasMap(rows)), meant);
    }),
  );
});

test("by default each name of a nisMailAlias and each mail address of an account is an alias", () => {
  const alias = entry(["nisMailAlias"], "bureau", { cn: ["bureau", "office"], rfc822mailmember: ["bob", "alice"] });
  assert.deepEqual(selected(postfixAliases(), alias), [
    { alias: "bureau", to: ["alice", "bob"] },
    { alias: "office", to: ["alice", "bob"] },
  ]);
  const person = entry(["inetOrgPerson", "posixAccount"], "alice", { uid: ["alice"], mail: ["a.l@campus.example"] });
  assert.deepEqual(selected(postfixAliases(), person), [{ alias: "a.l@campus.example", to: ["alice"] }]);
  assert.equal(selected(postfixAliases(), entry(["nisMailAlias"], "empty", { cn: ["empty"] })), undefined);
});
