import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluationDefaults } from "../../src/core/config/evaluation.ts";
import { atOnce } from "../../src/core/util/slices.ts";
import { selecting } from "../../src/services/entries.ts";
import { Mirror } from "../../src/transcriber/mirror/mirror.ts";
import { directoryApi } from "../../src/transcriber/tables/directory-api.ts";
import { entryApi } from "../../src/transcriber/tables/entry-api.ts";
import { EntryBudget } from "../../src/transcriber/tables/entry-budget.ts";
import { stored } from "../fixtures/entry.ts";

/** The two ways to ask for a value: `where` in a `select`, and `entries.filter` of a ready-made service. */

/** True for each way in which an entry with one value is found by another. */
function found(attribute: string, held: string, asked: string): { where: boolean; filter: boolean } {
  const entry = stored("u", "cn=rock,dc=x", { [attribute]: held });
  const mirror = new Mirror();
  atOnce(mirror.refresh([entry]));
  const words = {
    mirror,
    now: 0,
    budget: new EntryBudget(evaluationDefaults),
    record: () => {},
    timed: () => {},
    timezone: "UTC",
  };
  const directory = directoryApi(words);
  const escaped = Buffer.from(asked).toString("hex").replace(/../g, "\\$&");
  const select = selecting("kea", () => ({ seen: true }), {
    select: undefined,
    entries: { filter: `(${attribute}=${escaped})` },
  });
  const [seen] = [...mirror.entries()].map((each) => select(entryApi(each, words), directory));
  return { where: directory.where(attribute, asked).length > 0, filter: seen !== undefined };
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
