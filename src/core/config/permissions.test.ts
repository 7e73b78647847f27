import assert from "node:assert/strict";
import { test } from "node:test";
import { hostUser, isHostUser, senderUser, userOf, vhostOf, writerUser } from "./permissions.ts";

const hosts = new Map([
  ["box", ["dhcp", "siren"]],
  ["box-dhcp", ["dhcp"]],
  ["civet", ["event", "dhcp"]],
  ["idle", []],
]);
const may = (expression: string, name: string): boolean => new RegExp(expression).test(name);

test("a host reads its own queues, and no queue whose name begins with theirs", () => {
  const { read } = hostUser({ hosts }, "box");
  assert.ok(may(read, "trigger-box-dhcp") && may(read, "trigger-box-siren"));
  for (const other of ["trigger-box-dhcp-dhcp", "trigger-box-dhcp2", "a-trigger-box-dhcp", "trigger-box-event"]) {
    assert.ok(!may(read, other), other);
  }
});

test("a host configures nothing, writes to the exchange alone and cannot read it", () => {
  for (const host of ["box", "box-dhcp", "idle"]) {
    const { configure, write, read } = hostUser({ hosts }, host);
    for (const name of ["trigger", "trigger-box-dhcp", "trigger-box-siren", "trigger-civet-report", "amq.default"]) {
      assert.ok(!may(configure, name), name);
      assert.equal(may(write, name), name === "trigger", name);
    }
    assert.ok(!may(read, "trigger"));
  }
});

test("a host publishes reports alone, and binds no key", () => {
  const { topicWrite, topicRead } = hostUser({ hosts }, "box");
  assert.ok(may(topicWrite, "trigger.report"));
  for (const key of ["trigger.dhcp", "trigger.dhcp.box", "trigger.event", "trigger.report.civet", "triggerxreport"]) {
    assert.ok(!may(topicWrite, key), key);
  }
  for (const key of ["trigger.dhcp", "trigger.dhcp.box", "trigger.#", "#"]) assert.ok(!may(topicRead, key), key);
});

test("a transcriber makes every queue, publishes every key and reads its own queues", () => {
  const { configure, write, read, topicWrite } = hostUser({ hosts }, "civet");
  for (const name of ["trigger", "trigger-box-dhcp", "trigger.ticks.event"]) {
    assert.ok(may(configure, name) && may(write, name), name);
  }
  for (const name of ["triggers", "other", "amq.default"]) assert.ok(!may(configure, name) && !may(write, name), name);
  for (const name of ["trigger-civet-event", "trigger-civet-report", "trigger-civet-dhcp", "trigger.ticks.event"]) {
    assert.ok(may(read, name), name);
  }
  assert.ok(!may(read, "trigger-box-dhcp"));
  assert.ok(may(topicWrite, "trigger.dhcp.box"));
});

test("a sender may send messages of its service, and a user without work nothing", () => {
  const { topicWrite, configure, read } = senderUser("hr", "siren", ["box"]);
  assert.deepEqual(
    ["trigger.siren", "trigger.siren.box", "trigger.dhcp", "trigger.siren.civet"].map((key) => may(topicWrite, key)),
    [true, true, false, false],
  );
  assert.ok(!may(configure, "trigger") && !may(read, "trigger"));
  assert.equal(senderUser("binding", "event", ["civet"]).topicWrite, "^(trigger\\.event)$");
  assert.equal(hostUser({ hosts }, "idle").configure, "^$");
});

test("a writer publishes events and asks transcribers; no host has its name", () => {
  const { name, topicWrite, configure, write, read } = writerUser();
  for (const key of ["trigger.event", "trigger.report"]) assert.ok(may(topicWrite, key));
  for (const key of ["trigger.dhcp", "trigger.dhcp.box", "trigger.event.civet", "trigger.ticks.event"]) {
    assert.ok(!may(topicWrite, key), key);
  }
  for (const queue of ["trigger-civet-report", "trigger-civet-event", "trigger-box-dhcp", "trigger.ticks.event"]) {
    assert.ok(!may(configure, queue) && !may(write, queue) && !may(read, queue), queue);
  }
  assert.ok(!may(configure, "trigger") && may(write, "trigger") && !may(read, "trigger"));
  assert.ok(!isHostUser(name) && isHostUser(hostUser({ hosts }, "box").name));
});

test("the user of a url is read as the server knows it", () => {
  assert.deepEqual(["amqp://trigger-a@h/v", "amqps://h", "amqp://a%2fb:p@h"].map(userOf), ["trigger-a", "", "a/b"]);
});

test("the vhost of a url is read as the server knows it", () => {
  assert.deepEqual(["amqp://h", "amqp://h/", "amqp://h/%2fa"].map(vhostOf), ["/", "/", "/a"]);
});
