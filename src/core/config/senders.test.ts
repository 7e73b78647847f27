import assert from "node:assert/strict";
import { test } from "node:test";
import { namesItself, onlyTranscribers, plainSenders, sendersOf } from "./senders.ts";

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

test("rows and orders come from transcribers, where each host has its user", () => {
  const wrong = onlyTranscribers({ hosts }, "box", "trigger-box");
  for (const user of ["trigger-civet", "trigger-lynx"]) assert.equal(wrong(user), undefined);
  assert.equal(wrong("alarm"), "it was sent by the broker user alarm: expected trigger-civet or trigger-lynx");
  for (const user of [undefined, "", "trigger-box", "trigger-dns1", "guest"]) assert.ok(wrong(user), user);
  for (const own of [undefined, "guest", "trigger-civet"]) {
    for (const user of [undefined, "alarm"]) assert.equal(onlyTranscribers({ hosts }, "box", own)(user), undefined);
  }
});

test("plain messages come from the senders that the config names, if any", () => {
  const config = { hosts, senders: { siren: ["alarm", "trigger-box"] } };
  const wrong = plainSenders(config);
  for (const user of ["alarm", "trigger-box", "trigger-civet"]) assert.equal(wrong("siren", user), undefined);
  assert.equal(wrong("siren", "guest"), "it was sent by the broker user guest: expected alarm or trigger-box");
  assert.match(
    wrong("siren", undefined) ?? "",
    /^it was sent without the name .*: expected alarm or trigger-box; a federation/,
  );
  for (const user of [undefined, "guest"]) assert.equal(wrong("mail", user), undefined);
});

test("users of hosts and senders of the config name themselves", () => {
  const config = { senders: { siren: ["alarm"] } };
  assert.deepEqual(
    ["alarm", "trigger-box", "guest", "trigger.modify"].map((user) => namesItself(config, user)),
    [true, true, false, false],
  );
});
