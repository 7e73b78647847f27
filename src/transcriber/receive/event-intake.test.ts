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
