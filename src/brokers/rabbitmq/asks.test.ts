import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumeMessage } from "amqplib";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { answerAsks } from "./asks.ts";
import { topology } from "./topology.ts";

/** The log of requests that come from the user of a host. */
function asks() {
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const take = answerAsks({
    declared: topology("quorum", { log, missing() {}, exchangeMade() {} }),
    ...{ recreate: () => assert.fail(), consuming: () => undefined, isActive: () => true },
    ...{ clock: virtualClock(0), log },
  });
  const say = (queue: string, userId = "trigger-box"): boolean => {
    const content = Buffer.from(JSON.stringify({ trigger: 1, kind: "queue", queue, fault: "gone" }));
    return take({ content, properties: { type: "queue", userId } } as unknown as ConsumeMessage);
  };
  return { say, said };
}

test("useless requests are logged a hundred times at most, without control sequences", () => {
  const { say, said } = asks();
  for (let other = 0; other < 1_000; other++) assert.ok(say(`trigger-cat-${other}\u001b[2J`));
  assert.equal(said.length, 101);
  assert.ok(
    said[0]?.includes("trigger-cat-0\\u001b[2J is requested by the user trigger-box, which does not own it"),
    said[0],
  );
  assert.ok(say("trigger-cat-dhcp", "trigger-dog"));
  assert.match(said.at(-1) ?? "", /by the user trigger-dog,/);
});

test("a request that is longer than any queue's name is not read", () => {
  const { say, said } = asks();
  assert.ok(say("x".repeat(1_000)));
  assert.match(said.join(), /it has 1\d\d\d bytes, the limit is 1000/);
});
