import assert from "node:assert/strict";
import { test } from "node:test";
import { Dependencies } from "./dependencies.ts";
import { nameLook } from "./looks.ts";

test("an entry that looks elsewhere is not evaluated for what it looked at before", () => {
  const dependencies = new Dependencies();
  const [before, after] = [nameLook("cn=before"), nameLook("cn=after")];
  dependencies.set("a", new Set([before]));
  dependencies.set("a", new Set([after]));
  assert.deepEqual([...dependencies.lookers(before)], []);
  assert.deepEqual([...dependencies.lookers(after)], ["a"]);
});
