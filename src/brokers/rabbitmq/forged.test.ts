import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumeMessage } from "amqplib";
import { forged } from "./forged.ts";

const message = (routingKey: string, headers?: Record<string, unknown>): ConsumeMessage =>
  ({ fields: { routingKey }, properties: { headers } }) as unknown as ConsumeMessage;
const keys = ["trigger.dhcp", "trigger.dhcp.box"];

test("a message with a key of its queue is taken, whatever else its publisher sent it to", () => {
  for (const key of keys) {
    assert.equal(forged(message(key), keys), undefined);
    assert.equal(forged(message(key, { CC: ["trigger.dns"] }), keys), undefined);
  }
  assert.equal(forged(message("anything"), undefined), undefined);
});

test("a copy for CC or BCC and a dead letter are none of the queue's", () => {
  assert.equal(forged(message("trigger.report"), keys), 'it was published as "trigger.report"');
  assert.equal(forged(message("trigger.dhcp", { "x-death": [] }), keys), "it is a dead letter of another queue");
});
