import assert from "node:assert/strict";
import { test } from "node:test";
import { contestedCell, refusedCell, undecided } from "../stream/cells.ts";
import { cellRemoves, refusalRemoves } from "./refusal-removes.ts";

const named = { refused: ["password", "userPassword"] } as const;

test("if columns are named, a refusal of one of them removes the row", () => {
  for (const about of [["password"], ["vlan", "password"], ["userpassword"], ["USERPASSWORD"]])
    assert.equal(refusalRemoves(named, refusedCell("why", about), null), true, about.join());
});

test("a refusal of any other column removes nothing", () => {
  for (const about of [[], ["vlan"], ["passwords"], [""]])
    assert.equal(refusalRemoves(named, refusedCell("why", about), null), false, about.join());
});

test("a table without the option retains every refused row, with `remove` none", () => {
  assert.equal(refusalRemoves({}, refusedCell("why", ["password"]), null), false);
  assert.equal(refusalRemoves({ refused: "remove" }, refusedCell("why"), null), true);
});

test("a column's name in the text of a refusal removes nothing", () => {
  for (const why of [
    "password: is missing",
    "userPassword is missing",
    "x\u001fpassword",
    "name: is bad\u001fpassword",
  ])
    assert.equal(cellRemoves(named, refusedCell(why, ["name"]), null), false, why);
  assert.equal(cellRemoves(named, refusedCell("is bad", ["vlan,password"]), null), false);
  assert.equal(cellRemoves(named, refusedCell("is bad", ["vlan", "password"]), null), true);
});

test("another entry's claim removes no row, unless the row is no longer its entry's", () => {
  const [now, before] = ['{"mac":"aa","vlan":"1"}', '{"mac":"aa","vlan":"9"}'];
  for (const table of [{ refused: "remove" } as const, { refused: ["password", "claims"] }]) {
    const cell = contestedCell("claimed by two", now);
    assert.equal(cellRemoves(table, cell, now), false);
    assert.equal(cellRemoves(table, cell, before), true);
  }
  assert.equal(cellRemoves(named, contestedCell("claimed by two", now), before), false, "claims is not named");
  assert.equal(cellRemoves({}, contestedCell("claimed by two", now), before), false);
});

test("a select that did not end in time removes no row of any table", () => {
  for (const refused of ["remove", [undecided, "password"]] as const)
    assert.equal(cellRemoves({ refused }, refusedCell("does not end", [undecided]), null), false);
});
