import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumeMessage } from "amqplib";
import { spoofed } from "./spoofed.ts";

const message = (routingKey: string, headers?: Record<string, unknown>): ConsumeMessage =>
  ({ fields: { routingKey }, properties: { headers } }) as unknown as ConsumeMessage;
const keys = ["trigger.dhcp", "trigger.dhcp.box"];

test("a message with a key of its queue is taken, despite other keys", () => {
  for (const key of keys) {
    assert.equal(spoofed(message(key), keys), undefined);
    assert.equal(spoofed(message(key, { CC: ["trigger.dns"] }), keys), undefined);
  }
  assert.equal(spoofed(message("anything"), undefined), undefined);
});

test("a copy for CC or BCC and a dead letter are spoofed", () => {
  assert.equal(spoofed(message("trigger.report"), keys), 'it was published as "trigger.report"');
  assert.equal(spoofed(message("trigger.dhcp", { "x-death": [] }), keys), "it is a dead letter of another queue");
});
