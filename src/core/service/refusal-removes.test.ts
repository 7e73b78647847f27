import assert from "node:assert/strict";
import { test } from "node:test";
import { refusedCell } from "../stream/cells.ts";
import { cellRemoves, refusalRemoves } from "./refusal-removes.ts";

const named = { refused: ["password", "userPassword"] } as const;

test("if columns are named, a refusal of one of them removes the row", () => {
  for (const about of [["password"], ["vlan", "password"], ["userpassword"], ["USERPASSWORD"]])
    assert.equal(refusalRemoves(named, about), true, about.join());
});

test("a refusal of any other column removes nothing", () => {
  for (const about of [[], ["vlan"], ["passwords"], [""]])
    assert.equal(refusalRemoves(named, about), false, about.join());
});

test("a table without the option retains every refused row, with `remove` none", () => {
  assert.equal(refusalRemoves({}, ["password"]), false);
  assert.equal(refusalRemoves({ refused: "remove" }, []), true);
});

test("a column's name in the text of a refusal removes nothing", () => {
  for (const why of [
    "password: is missing",
    "userPassword is missing",
    "x\u001fpassword",
    "name: is bad\u001fpassword",
  ])
    assert.equal(cellRemoves(named, refusedCell(why, ["name"])), false, why);
  assert.equal(cellRemoves(named, refusedCell("is bad", ["vlan,password"])), false);
  assert.equal(cellRemoves(named, refusedCell("is bad", ["vlan", "password"])), true);
});
