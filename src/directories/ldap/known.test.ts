import assert from "node:assert/strict";
import { test } from "node:test";
import { Known, ReadAgain } from "./known.ts";

test("an entry is new, renamed or the same, and two never share a name", () => {
  const known = new Known();
  assert.equal(known.put("1", "cn=a"), "new");
  assert.equal(known.put("1", "cn=a"), "same");
  assert.equal(known.put("1", "cn=A"), "renamed");
  assert.equal(known.put("2", "cn=a"), "new");
  assert.throws(() => known.put("2", "cn=A"), ReadAgain);
  known.delete("1");
  assert.equal(known.put("2", "cn=A"), "renamed");
  assert.equal(known.put("1", "cn=a"), "new");
});

test("names that only case tells apart, where case counts, are two names", () => {
  const known = new Known();
  known.put("1", "automountKey=home");
  assert.equal(known.put("2", "automountKey=Home"), "new");
});
