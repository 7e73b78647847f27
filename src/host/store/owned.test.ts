import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { dryOwned, recordsOf } from "./owned.ts";

const day = 24 * 60 * 60_000;

test("a claimed record is ours with any value, a released one with its last", () => {
  const database = emptyStore();
  const owned = recordsOf(database, "dhcp").owned(() => 0);
  assert.equal(owned.has("aa", "1"), false);
  owned.claim(["aa", "bb"]);
  assert.equal(owned.has("aa", "1") && owned.has("aa", "2"), true);
  owned.release([["aa", "2"]]);
  assert.deepEqual([owned.has("aa", "1"), owned.has("aa", "2"), owned.has("bb", "7")], [false, true, true]);
  assert.equal(
    recordsOf(database, "dns")
      .owned(() => 0)
      .has("bb", "7"),
    false,
    "another service's",
  );
  assert.deepEqual([...recordsOf(database, "dhcp").names()], ["bb"]);
});

test("a released record is forgotten after two months", () => {
  const database = emptyStore();
  let now = 0;
  const owned = recordsOf(database, "dhcp").owned(() => now);
  owned.claim(["kept"]);
  owned.release([["old", "1"]]);
  now = 61 * day;
  owned.release([["new", "1"]]);
  assert.deepEqual([owned.has("old", "1"), owned.has("new", "1"), owned.has("kept", "1")], [false, true, true]);
});

test("an approval takes over exactly the conflicts of its digest", () => {
  const database = emptyStore();
  const owned = recordsOf(database, "dhcp").owned(() => 0);
  owned.hold([["aa", "1"], ["bb"]]);
  assert.deepEqual([owned.has("aa", "1"), recordsOf(database, "dhcp").isHeld("aa")], [false, true]);
  const looking = dryOwned(owned);
  looking.claim(["aa", "cc"]);
  assert.deepEqual([looking.has("cc", "1"), owned.has("cc", "1")], [true, false]);
  const shown = recordsOf(database, "dhcp").conflicts();
  assert.equal(shown?.count, 2);
  owned.hold([["aa", "2"]]);
  assert.deepEqual(
    [undefined, shown?.digest].map((digest) => recordsOf(database, "dhcp").approve(digest)),
    [false, false],
  );
  assert.equal(owned.has("aa", "2"), false);
  assert.equal(recordsOf(database, "dhcp").approve(recordsOf(database, "dhcp").conflicts()?.digest), true);
  assert.deepEqual([owned.has("aa", "2"), owned.has("aa", "3"), owned.has("bb", "whatever")], [true, false, true]);
  assert.equal(recordsOf(database, "dhcp").conflicts(), undefined);
});
