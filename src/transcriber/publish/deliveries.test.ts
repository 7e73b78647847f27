import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { BrokerTrouble, MessageRefused } from "../../ports/broker.ts";
import { deliveries } from "./deliveries.ts";

/** Deliveries to three hosts. The queue of b fails as `fault` does; the broker confirms a message once all queues do. */
function scene() {
  const taken: string[] = [];
  const log: string[] = [];
  let fault: (() => Promise<void>) | undefined;
  const { send, blockedQueues } = deliveries({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["a", "b", "c"] },
    async publish(key, body) {
      taken.push(`${key.replace("trigger.dhcp", "")} ${body}`.trim());
      if (key === "trigger.dhcp" || key.endsWith(".b")) await fault?.();
    },
    log: (line) => void log.push(line),
  });
  const breaks = (how: typeof fault): void => {
    fault = how;
  };
  return { send, blockedQueues, taken, log, breaks };
}

const everyone = "trigger.dhcp";
const trouble = async (): Promise<void> => {
  throw new BrokerTrouble("no confirm came within 10 s");
};

test("a queue that confirms nothing is found, named, and holds no other up", async () => {
  const { send, blockedQueues, taken, log, breaks } = scene();
  breaks(trouble);
  await assert.rejects(send(everyone, "rows 1", false)); // perhaps the broker is away
  await send(everyone, "digest 1", true);
  assert.deepEqual(blockedQueues(), ["b"]);
  assert.match(
    log.join(),
    /^queue trigger-b-dhcp confirms no messages, so b gets no changes; other hosts do: .*delete/,
  );
  taken.length = 0;
  breaks(() => new Promise(() => {})); // for ever
  await send(everyone, "rows 2", false);
  await send(everyone, "digest 2", true);
  await send(everyone, "rows 3", false);
  await send(everyone, "digest 3", true);
  assert.deepEqual(
    taken.filter((one) => one.startsWith(".b")),
    [".b digest 2"],
  );
  assert.equal(taken.filter((one) => one.startsWith(".c")).length, 4);
});

test("such a queue gets changes again after a digest", async () => {
  const { send, blockedQueues, taken, breaks } = scene();
  breaks(trouble);
  await assert.rejects(send(everyone, "rows 1", false));
  await send(everyone, "digest 1", true);
  breaks(undefined);
  await send(everyone, "digest 2", true);
  assert.deepEqual(blockedQueues(), []);
  taken.length = 0;
  await send(everyone, "rows 2", false);
  assert.deepEqual(taken, ["rows 2"]);
});

test("a broker that is away blocks no queue", async () => {
  const { send, blockedQueues, log } = scene();
  const away = deliveries({
    ...{ service: "dhcp", everyone, hosts: ["a", "b"], publish: trouble, log: (line) => void log.push(line) },
  });
  for (let round = 0; round < 3; round++) await assert.rejects(away.send(everyone, "digest", true));
  assert.deepEqual([away.blockedQueues(), log], [[], []]);
  await send(everyone, "digest", true);
  assert.deepEqual(blockedQueues(), []);
});

test("an answer to a host whose queue is missing or slow delays nothing", async () => {
  const { send, taken, log, breaks } = scene();
  breaks(trouble);
  await send("trigger.dhcp.b", "part", false);
  await setImmediate();
  assert.match(log.join(), /^the answer to b for dhcp was not delivered, it asks again: no confirm/);
  breaks(() => new Promise(() => {}));
  for (let asked = 0; asked < 100; asked++) await send("trigger.dhcp.b", "part", false);
  await send("trigger.dhcp.a", "part", false);
  assert.equal(taken.filter((one) => one.startsWith(".b")).length, 1 + 8);
  assert.equal(taken.at(-1), ".a part");
});

test("a refused answer names the queue", async () => {
  const { send, blockedQueues, breaks } = scene();
  breaks(async () => {
    throw new MessageRefused("no");
  });
  await send("trigger.dhcp.b", "part", false);
  await setImmediate();
  assert.deepEqual(blockedQueues(), ["b"]);
});

test("a message to the one host of a stream fails with its queue", async () => {
  const one = deliveries({ service: "dhcp", everyone: "trigger.dhcp.b", hosts: ["b"], publish: trouble, log() {} });
  await assert.rejects(one.send("trigger.dhcp.b", "digest", true), BrokerTrouble);
});
