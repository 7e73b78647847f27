import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalGoes } from "./refusal-goes.ts";

const named = { refused: ["password", "userPassword"] } as const;

test("where names are given, a refusal that begins with one of them removes", () => {
  for (const why of [
    "password: is not a password that FreeRADIUS can check",
    "password: is missing; vlan: is not a VLAN",
    "userPassword is missing",
    "userpassword has 2 values, expected one",
    "userPassword is not text",
  ])
    assert.equal(refusalGoes(named, why), true, why);
});

test("a refusal for another reason removes nothing, whoever wrote words into it", () => {
  for (const why of [
    "vlan: is not a VLAN",
    'name: "alice" is claimed by uid=alice and uid=password: x; password: is missing',
    "userPassword is not read from the directory: name it in directory.attributes",
    "passwords: are wrong",
    "select failed: password: is missing",
    "",
  ])
    assert.equal(refusalGoes(named, why), false, why);
});

test("a table that says nothing keeps every refused row, one that says `remove` none", () => {
  assert.equal(refusalGoes({}, "password: is missing"), false);
  assert.equal(refusalGoes({ refused: "remove" }, "vlan: is not a VLAN"), true);
});
