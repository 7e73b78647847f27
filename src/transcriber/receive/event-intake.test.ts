import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import type { Delivery } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { eventIntake } from "./event-intake.ts";

test("a stop does not acknowledge an event that is not stored", async () => {
  const clock = virtualClock(0);
  const stop = new AbortController();
  let tried = 0;
  const full = {
    async take() {
      tried += 1;
      throw new Error("database or disk is full");
    },
  };
  const inbound = {
    event: () => assert.fail("an event that is not stored was handed on"),
    verify: () => assert.fail("no order was sent"),
  };
  const intake = eventIntake(full, inbound, { clock, signal: stop.signal, log() {} });
  let acknowledged = 0;
  const body = Buffer.from(JSON.stringify(["hash", null, { entryDN: ["dc=x"] }, null]));
  const delivery: Delivery = { key: "k", body, redelivered: false, ack: () => void acknowledged++ };
  intake.take(delivery);
  await until(() => clock.advance(1000).then(() => tried > 1));
  assert.match(intake.trouble ?? "", /disk is full/);
  stop.abort();
  await clock.advance(10_000);
  assert.equal(acknowledged, 0);
});

test("an order among events keeps its user, and a rejected one stops nothing", async () => {
  const stop = new AbortController();
  const log: string[] = [];
  const stored: number[] = [];
  const inbound = {
    event() {},
    verify(orderedAt: number, user: string | undefined) {
      throw new Error(`asked at ${orderedAt} by ${user}`);
    },
  };
  const store = { take: async (messages: readonly unknown[]) => void stored.push(messages.length) };
  const waits = { clock: virtualClock(0), signal: stop.signal, log: (line: string) => void log.push(line) };
  const intake = eventIntake(store, inbound, waits);
  let acknowledged = 0;
  const order = { trigger: 1, kind: "order", service: "event", order: "verify", at: 7 };
  for (const body of [order, ["hash", null, { entryDN: ["dc=x"] }, null]]) {
    const bytes = Buffer.from(JSON.stringify(body));
    intake.take({ key: "k", body: bytes, redelivered: false, user: "alarm", ack: () => void acknowledged++ });
  }
  await until(() => log.length > 0);
  assert.deepEqual([acknowledged, stored], [2, [1]]);
  assert.deepEqual(log, ["a message of alarm to trigger.event is rejected: asked at 7 by alarm"]);
  stop.abort();
});
