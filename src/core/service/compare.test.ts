import assert from "node:assert/strict";
import { test } from "node:test";
import { compareObserved, isSame } from "./compare.ts";

const rows = [
  { mac: "aa", ip: "1", name: "a" },
  { mac: "bb", ip: "2", name: "b" },
];
const table = { unique: ["mac", "ip"] };

test("only the columns that were observed are compared", () => {
  const same = compareObserved(table, rows, [{ mac: "aa", ip: "1" }, { mac: "bb" }], () => true);
  assert.equal(isSame(same), true);
});

test("missing, differing, extra and foreign records are told apart", () => {
  const observed = [
    { mac: "aa", ip: "9" },
    { mac: "cc", ip: "3" },
    { mac: "dd", ip: "4" },
  ];
  const shared = compareObserved({ ...table, shared: true }, rows, observed, (name) => name === "cc");
  assert.deepEqual(shared, {
    missing: [rows[1]],
    differs: [{ name: "aa", wanted: { ip: "1" }, found: { ip: "9" } }],
    extra: [{ mac: "cc", ip: "3" }],
    foreign: [{ mac: "dd", ip: "4" }],
  });
  const ours = compareObserved(table, rows, observed, () => false);
  assert.deepEqual(
    [ours.extra.length, ours.foreign.length],
    [2, 0],
    "of a daemon that is ours alone nothing is foreign",
  );
  assert.equal(isSame({ ...ours, missing: [], differs: [], extra: [] }), true, "what is foreign is no difference");
});

test("secret columns are masked", () => {
  const found = compareObserved(
    { unique: ["mac"], secret: ["key"] },
    [{ mac: "aa", key: "hush" }],
    [
      { mac: "aa", key: "loud" },
      { mac: "bb", key: "other" },
    ],
    () => true,
  );
  assert.doesNotMatch(JSON.stringify(found), /hush|loud|other/);
  assert.equal(found.differs.length, 1);
});

test("a name that is a secret column's value is masked, too", () => {
  const rows = [{ badge: "hush", room: "1" }];
  const found = compareObserved(
    { unique: ["badge"], secret: ["badge"] },
    rows,
    [{ badge: "hush", room: "2" }],
    () => true,
  );
  assert.equal(found.differs.length, 1);
  assert.doesNotMatch(JSON.stringify(found), /hush/);
});
