import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluationDefaults } from "../../src/core/config/evaluation.ts";
import type { StoredEntry } from "../../src/core/directory/entry.ts";
import { schemaOf, standardSchema } from "../../src/core/directory/schema.ts";
import { atOnce } from "../../src/core/util/slices.ts";
import { selecting } from "../../src/services/entries.ts";
import type { Entries } from "../../src/services/settings.ts";
import { Mirror } from "../../src/transcriber/mirror/mirror.ts";
import { directoryApi } from "../../src/transcriber/tables/directory-api.ts";
import { entryApi } from "../../src/transcriber/tables/entry-api.ts";
import { EntryBudget } from "../../src/transcriber/tables/entry-budget.ts";
import { stored } from "../fixtures/entry.ts";

/** The two ways to ask for a value: `where` in a `select`, and `entries.filter` of a ready-made service. */

/** True for each way in which an entry with one value is found by another. */
function found(attribute: string, held: string, asked: string, schema = standardSchema) {
  const escaped = Buffer.from(asked).toString("hex").replace(/../g, "\\$&");
  const entry = stored("u", "cn=rock,dc=x", { [attribute]: held });
  const { seen, directory } = look(entry, { filter: `(${attribute}=${escaped})` }, schema);
  return { where: directory.where(attribute, asked).length > 0, filter: seen };
}

/** The directory with one entry, and whether a ready-made service with these settings sees it. */
function look(entry: StoredEntry, entries: Entries, schema = standardSchema) {
  const mirror = new Mirror();
  atOnce(mirror.refresh([entry], schema));
  const words = {
    schema,
    mirror,
    now: 0,
    budget: new EntryBudget(evaluationDefaults),
    record: () => {},
    timed: () => {},
    timezone: "UTC",
  };
  const directory = directoryApi(words);
  const select = selecting("kea", () => ({ seen: true }), { select: undefined, entries });
  const [row] = [...mirror.entries()].map((each) => select(entryApi(each, words), directory));
  return { directory, seen: row !== undefined };
}

test("a filter finds a value where `where` does, and nowhere else", () => {
  for (const [attribute, held, asked, same] of [
    ["campusRoom", "B12", "b12", false],
    ["campusRoom", "B  12", "B 12", false],
    ["status", "Active", "active", false],
    ["uid", "Alice", "aLICE", true],
    ["cn", "École", "e\u0301COLE", true],
    ["uid", "rou\u00adter", "router", false],
    ["uid", "\u2160", "\u2170", false],
    ["uniqueMember", "CN=A,dc=x", "cn=a,dc=x", true],
    ["member", "CN=A, DC=x", "cn=a,dc=X", true],
    ["telephoneNumber", "+33 1-23", "+33123", true],
    ["krbPrincipalName", "alice@CAMPUS", "ALICE@CAMPUS", false],
    ["homeDirectory", "/home/Rock", "/home/rock", false],
  ] as const) {
    assert.deepEqual(found(attribute, held, asked), { where: same, filter: same }, `${attribute}: ${held}, ${asked}`);
  }
});

/** A server with a site's attribute, by a rule. */
const server = (equality: string) => schemaOf([{ names: ["roomId", "salle"], equality }]);

test("a filter and `where` compare by the server's rule and its names", () => {
  for (const [equality, same] of [
    ["caseIgnoreMatch", true],
    ["caseExactMatch", false],
  ] as const) {
    assert.deepEqual(found("roomId", "B12", "b12", server(equality)), { where: same, filter: same }, equality);
    const { seen } = look(
      stored("u", "cn=rock,dc=x", { roomid: "B12" }),
      { filter: "(salle=*b12*)" },
      server(equality),
    );
    assert.equal(seen, same, equality);
  }
});

test("a twin of the base is another, unless the server says one", () => {
  const sees = (schema = standardSchema): boolean =>
    look(stored("u", "cn=rock,roomId=LAB,dc=x"), { base: "ROOMID=lab, dc=x" }, schema).seen;
  assert.deepEqual([sees(), sees(server("caseExactMatch")), sees(server("caseIgnoreMatch"))], [false, false, true]);
  assert.ok(look(stored("u", "cn=rock,roomId=LAB,dc=x"), { base: "ROOMID = LAB, dc=X" }).seen);
});
