import assert from "node:assert/strict";
import { test } from "node:test";
import { sendersOf } from "./senders.ts";

const hosts = new Map([
  ["box", ["dhcp"]],
  ["dns1", ["dns"]],
  ["civet", ["event"]],
  ["lynx", ["event", "dns"]],
]);

test("a host speaks for itself alone, a transcriber for all, and nobody without a name", () => {
  const wrong = sendersOf({ hosts }, "civet", "trigger-civet");
  for (const user of ["trigger-box", "trigger-civet", "trigger-lynx"]) assert.equal(wrong("box", user), undefined);
  assert.equal(
    wrong("box", "trigger-dns1"),
    "it speaks for box, and was sent by the broker user trigger-dns1: expected trigger-box",
  );
  assert.match(wrong("box", undefined) ?? "", /^it speaks for box, and was sent without the name of its broker user/);
  for (const user of ["trigger.modify", "", "trigger-", "box", "guest"]) assert.ok(wrong("box", user), user);
});

test("where users are not one for each host, any of them speaks for any host", () => {
  for (const own of [undefined, "guest", "trigger", "trigger-box", "trigger-lynx"]) {
    const wrong = sendersOf({ hosts }, "civet", own);
    for (const user of [undefined, "guest", "trigger-dns1"]) assert.equal(wrong("box", user), undefined);
  }
});
