import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryHub } from "../testing/memory-broker.ts";
import { sharedBroker } from "./shared-broker.ts";

test("all users share one connection, which ends when the last has closed", async () => {
  const hub = memoryHub();
  let connections = 0;
  const connect = sharedBroker(async () => {
    connections += 1;
    return hub.connect();
  });
  const [one, two] = await Promise.all([connect(), connect()]);
  await one.close();
  await one.close();
  await two.publish("k", "still open");
  await two.close();
  await assert.rejects(two.publish("k", "over"), /closed/);
  assert.equal(connections, 1);
  const again = await connect();
  await again.publish("k", "again");
  assert.equal(connections, 2);
  await again.close();
});

test("a failed connection is tried again by the next user", async () => {
  let fails = true;
  const connect = sharedBroker(async () => {
    if (fails) throw new Error("not now");
    return memoryHub().connect();
  });
  await assert.rejects(connect(), /not now/);
  fails = false;
  await (await connect()).close();
});
