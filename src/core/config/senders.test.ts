import assert from "node:assert/strict";
import { test } from "node:test";
import { orderersOf, sendersOf } from "./senders.ts";

const hosts = new Map([
  ["box", ["dhcp"]],
  ["dns1", ["dns"]],
  ["civet", ["event"]],
  ["lynx", ["event", "dns"]],
]);

test("a host speaks for itself, a transcriber for all, an unnamed sender for none", () => {
  const wrong = sendersOf({ hosts }, "civet", "trigger-civet");
  for (const user of ["trigger-box", "trigger-civet", "trigger-lynx"]) assert.equal(wrong("box", user), undefined);
  assert.equal(
    wrong("box", "trigger-dns1"),
    "it claims to be from box, but was sent by the broker user trigger-dns1: expected trigger-box",
  );
  assert.match(
    wrong("box", undefined) ?? "",
    /^it claims to be from box, but was sent without the name of its broker user/,
  );
  for (const user of ["trigger.modify", "", "trigger-", "box", "guest"]) assert.ok(wrong("box", user), user);
});

test("if hosts share a user, that user speaks for any of them", () => {
  for (const own of [undefined, "guest", "trigger", "trigger-box", "trigger-lynx"]) {
    const wrong = sendersOf({ hosts }, "civet", own);
    for (const user of [undefined, "guest", "trigger-dns1"]) assert.equal(wrong("box", user), undefined);
  }
});

test("orders come from transcribers, where users are one for each host", () => {
  const wrong = orderersOf({ hosts }, "box", "trigger-box");
  for (const user of ["trigger-civet", "trigger-lynx"]) assert.equal(wrong(user), undefined);
  assert.equal(
    wrong("alarm"),
    "it is an order, but was sent by the broker user alarm: expected trigger-civet or trigger-lynx",
  );
  for (const user of [undefined, "", "trigger-box", "trigger-dns1", "guest"]) assert.ok(wrong(user), user);
  for (const own of [undefined, "guest", "trigger-civet"]) {
    for (const user of [undefined, "alarm"]) assert.equal(orderersOf({ hosts }, "box", own)(user), undefined);
  }
});
