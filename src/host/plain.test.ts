import assert from "node:assert/strict";
import { test } from "node:test";
import { hostScene, plainService } from "../../test/fixtures/host.ts";
import { until } from "../../test/until.ts";
import { serviceKey } from "../core/stream/routing.ts";

test("plain messages are handled in order, each id once", async () => {
  const secours = plainService();
  const { send, up, report, end } = hostScene(secours.definition, { name: "secours" });
  const host = up();
  await send({ n: 1 }, "id-1");
  await send({ n: 2 });
  await send({ n: 1 }, "id-1");
  await send({ n: 2 });
  await until(() => secours.handled.length === 3 && report().pending === 0);
  assert.deepEqual(secours.handled, [1, 2, 2]);
  await host.down();
  end();
});

test("a plain message that keeps failing is parked, then handled after a retry", async () => {
  const secours = plainService();
  const { give, send, up, clock, report, end } = hostScene(secours.definition, { name: "secours" });
  secours.controls.fail = (n) => {
    if (n === 1) throw new Error("no route");
  };
  const host = up();
  await send({ n: 1 });
  await send({ n: 2 });
  await send({ wrong: true });
  await until(() => report().failing);
  for (let second = 0; second < 60; second++) await clock.advance(1000);
  await until(() => report().parkedCount === 2);
  assert.deepEqual(secours.handled, [2]);
  secours.controls.fail = undefined;
  await give({ order: "retry" });
  await until(() => secours.handled.length === 2);
  assert.deepEqual(secours.handled, [2, 1]);
  await host.down();
  end();
});

test("an unreadable message is parked again by a retry, later ones are handled", async () => {
  const secours = plainService();
  const { hub, give, send, up, report, logged, end } = hostScene(secours.definition, { name: "secours" });
  const host = up();
  await send({ n: 1 });
  await until(() => secours.handled.length === 1);
  const stranger = hub.connect();
  for (const body of ["{", '{"trigger":2,"kind":"rows","n":7}']) await stranger.publish(serviceKey("secours"), body);
  await until(() => report().parkedCount === 2);
  await give({ order: "retry" });
  await send({ n: 2 });
  await until(() => secours.handled.length === 2 && report().parkedCount === 2);
  assert.deepEqual(secours.handled, [1, 2]);
  assert.deepEqual(
    report().parked.map(({ why }) => why),
    ["not JSON in UTF-8", "protocol version 2, but this host has version 1"],
  );
  assert.equal(report().failing, false, logged.join("\n"));
  const [first, second] = report().parked;
  await give({ order: "drop", number: first?.id });
  await until(() => report().parkedCount === 1);
  assert.equal(report().parked[0]?.id, second?.id);
  await give({ order: "drop" });
  await until(() => report().parkedCount === 0);
  await host.down();
  end();
});

test("a plain message survives a kill between its store and its handling", async () => {
  const secours = plainService();
  const { send, up, report, end } = hostScene(secours.definition, { name: "secours" });
  secours.controls.fail = () => {
    throw new Error("not now");
  };
  const first = up();
  await send({ n: 7 });
  await until(() => report().pending === 1 && report().failing);
  await first.kill();
  secours.controls.fail = undefined;
  const second = up();
  await until(() => secours.handled.length === 1);
  assert.deepEqual(secours.handled, [7]);
  await second.down();
  end();
});

test("orders from a user who may only send are refused and counted", async () => {
  const secours = plainService();
  const wrongTranscriber = (user: string | undefined) => `it was sent by ${user ?? "nobody"}`;
  const { give, send, up, report, logged, end } = hostScene(secours.definition, { name: "secours", wrongTranscriber });
  const host = up();
  for (const order of ["hold", "drop", "approve"]) {
    await give({ order });
  }
  await until(() => report().untrusted?.count === 3);
  await send({ n: 1 });
  await until(() => secours.handled.length === 1);
  assert.equal(report().held, undefined);
  assert.equal(report().untrusted?.why, "it was sent by nobody");
  assert.equal(logged.filter((line) => line.includes("an order is rejected: it was sent by nobody")).length, 1);
  await host.down();
  end();
});

test("plain messages of users that the config does not name are rejected and counted", async () => {
  const secours = plainService();
  let allowed = false;
  const wrongPlainSender = (service: string) => (allowed ? undefined : `${service}: it was sent by nobody`);
  const { send, up, report, end } = hostScene(secours.definition, { name: "secours", wrongPlainSender });
  const host = up();
  await send({ n: 1 });
  await until(() => report().untrusted?.count === 1);
  allowed = true;
  await send({ n: 2 });
  await until(() => secours.handled.length === 1);
  assert.deepEqual(secours.handled, [2]);
  assert.equal(report().untrusted?.why, "secours: it was sent by nobody");
  await host.down();
  end();
});
