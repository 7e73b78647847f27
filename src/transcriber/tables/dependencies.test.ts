import assert from "node:assert/strict";
import { test } from "node:test";
import { nameRead } from "../mirror/read-set.ts";
import { Dependencies } from "./dependencies.ts";

test("an entry is not found by a read that its last evaluation lacks", () => {
  const dependencies = new Dependencies();
  const [before, after] = [nameRead("cn=before"), nameRead("cn=after")];
  dependencies.set("a", new Set([before]));
  dependencies.set("a", new Set([after]));
  assert.deepEqual([...dependencies.readers(before)], []);
  assert.deepEqual([...dependencies.readers(after)], ["a"]);
});
