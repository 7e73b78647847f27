import assert from "node:assert/strict";
import { test } from "node:test";
import { Delivered } from "./delivered.ts";
import { ReadAgain } from "./read-again.ts";

test("an entry is new, renamed or the same, and two never share a name", () => {
  const delivered = new Delivered();
  assert.equal(delivered.put("1", "cn=a"), "new");
  assert.equal(delivered.put("1", "cn=a"), "same");
  assert.equal(delivered.put("1", "cn=A"), "renamed");
  assert.equal(delivered.put("2", "cn=a"), "new");
  assert.throws(() => delivered.put("2", "cn=A"), ReadAgain);
  delivered.delete("1");
  assert.equal(delivered.put("2", "cn=A"), "renamed");
  assert.equal(delivered.put("1", "cn=a"), "new");
});

test("names that only case tells apart, where case counts, are two names", () => {
  const delivered = new Delivered();
  delivered.put("1", "automountKey=home");
  assert.equal(delivered.put("2", "automountKey=Home"), "new");
});
