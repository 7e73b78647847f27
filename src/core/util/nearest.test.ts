import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest, unknown, unknownOf } from "./nearest.ts";

test("the nearest word is one slip of the finger away", () => {
  const known = ["status", "send", "retry", "regen", "up"];
  for (const [typed, meant] of [
    ["stauts", "status"],
    ["sned", "send"],
    ["STATUS", "status"],
    ["rety", "retry"],
    ["statusx", "status"],
  ] as const) {
    assert.equal(nearest(typed, known), meant);
  }
});

test("a word that is near to none is not guessed at", () => {
  assert.equal(nearest("frobnicate", ["status", "send"]), undefined);
  assert.equal(nearest("status", []), undefined);
});

test("of two equally near words the first is named, an equal one always", () => {
  assert.equal(nearest("dhcp3", ["dhcp1", "dhcp2"]), "dhcp1");
  assert.equal(nearest("dhcp2", ["dhcp1", "dhcp2"]), "dhcp2");
});

test("an unknown word is answered with the sorted known ones and the nearest", () => {
  assert.equal(
    unknown("host", "dhcp", ["ns1", "dhcp1"]),
    'unknown host "dhcp" (known: dhcp1, ns1); did you mean "dhcp1"?',
  );
  assert.equal(unknown("host", 'a"b', []), 'unknown host "a\\"b" (none is known)');
});

test("of several unknown words the first is reported", () => {
  assert.equal(unknownOf("host", ["ns1", "dhcp", "mail"], ["ns1", "dhcp1"]), unknown("host", "dhcp", ["ns1", "dhcp1"]));
  assert.equal(unknownOf("host", ["ns1"], ["ns1", "dhcp1"]), undefined);
});
