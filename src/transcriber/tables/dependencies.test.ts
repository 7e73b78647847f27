import assert from "node:assert/strict";
import { test } from "node:test";
import { nameLook } from "../mirror/read-set.ts";
import { Dependencies } from "./dependencies.ts";

test("an entry that looks elsewhere is not evaluated for what it looked at before", () => {
  const dependencies = new Dependencies();
  const [before, after] = [nameLook("cn=before"), nameLook("cn=after")];
  dependencies.set("a", new Set([before]));
  dependencies.set("a", new Set([after]));
  assert.deepEqual([...dependencies.lookers(before)], []);
  assert.deepEqual([...dependencies.lookers(after)], ["a"]);
});
