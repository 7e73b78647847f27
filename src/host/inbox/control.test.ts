import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { orderTo } from "../../../test/fixtures/order.ts";
import { until } from "../../../test/until.ts";
import { onlyTranscribers } from "../../core/config/senders.ts";
import type { AnswerMessage, Asked } from "../../core/stream/order.ts";
import { controlService, hostKey, queueName, queueOf, serviceKey } from "../../core/stream/routing.ts";
import { memoryHub } from "../../testing/memory-broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { hostStore } from "../store/host-store.ts";
import { type ControlInputs, control } from "./control.ts";

const start = Date.UTC(2026, 10, 30);

/** The orders of host `a` with one service, `dhcp`, which notes them. */
async function scene(inputs: Partial<ControlInputs> = {}) {
  const clock = virtualClock(start);
  const hub = memoryHub({ now: clock.monotonic });
  const database = emptyStore();
  const store = hostStore(database);
  const obeyed: string[] = [];
  const after: string[] = [];
  const logged: string[] = [];
  const answers: AnswerMessage[] = [];
  const stop = new AbortController();
  const dhcp = {
    obey(asked: Asked) {
      obeyed.push(asked.order);
      store.service("dhcp").write({ held: { by: "person", detail: "" } });
      return asked.digest === "none" ? { done: false, text: "nothing waits" } : { done: true, text: "well" };
    },
    obeyed: ({ order }: Asked) => void after.push(order),
  };
  const orders = control({
    ...{ host: "a", store, services: new Map([["dhcp", dhcp]]), clock, signal: stop.signal },
    log: (line) => void logged.push(line),
    ...inputs,
  });
  const civet = hub.connect();
  await civet.declare([queueOf("a", controlService, "control"), queueOf("civet", "report", "report")]);
  await civet.consume(
    queueName("civet", "report"),
    ({ body, ack }) => {
      answers.push(JSON.parse(new TextDecoder().decode(body)));
      ack();
    },
    { prefetch: 10 },
  );
  return {
    ...{ clock, hub, store, database, orders, obeyed, after, logged, answers, dhcp },
    publish: (order: object, key = hostKey(controlService, "a")) => civet.publish(key, JSON.stringify(order)),
    publishText: (body: string) => civet.publish(hostKey(controlService, "a"), body),
    listen: () => orders.listen(hub.connect()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await orders.close();
      database.close();
    },
  };
}

test("an order is obeyed once, stored with its answer, and answered", async () => {
  await using all = await scene();
  await all.listen();
  const order = orderTo("a", { service: "dhcp", order: "hold" });
  await all.publish(order);
  await until(() => all.answers.length === 1);
  assert.deepEqual(all.answers[0], {
    ...{ trigger: 1, kind: "answer", host: "a", order, way: "broker" },
    ...{ outcome: { done: true, text: "well" }, at: start },
  });
  assert.deepEqual([all.obeyed, all.after], [["hold"], ["hold"]]);
  assert.deepEqual(all.store.audit.find(order.id, "a")?.outcome, { done: true, text: "well" });
  await all.publish(order);
  await all.publish(order, serviceKey(controlService));
  await until(() => all.hub.look("trigger-a-control").length === 0);
  assert.deepEqual(all.obeyed, ["hold"]);
});

test("an order to other hosts is ignored, even under the key of this one", async () => {
  await using all = await scene();
  await all.listen();
  await all.publish(orderTo(["b", "c"], { service: "dhcp", order: "hold" }));
  await until(() => all.hub.look("trigger-a-control").length === 0);
  assert.deepEqual([all.obeyed, all.answers, all.store.audit.newest()], [[], [], []]);
});

test("an order about a service that is not here is refused with the reason", async () => {
  await using all = await scene();
  await all.listen();
  await all.publish(orderTo("a", { service: "mail", order: "hold" }));
  await all.publish(orderTo("a", { service: "event", order: "verify" }));
  await all.publish(orderTo("a", { service: "dhcp", order: "approve", digest: "none" }));
  await until(() => all.answers.length === 3);
  assert.deepEqual(
    all.answers.map(({ outcome }) => [outcome.done, outcome.text]),
    [
      [false, "a does not run mail"],
      [false, "a does not transcribe"],
      [false, "nothing waits"],
    ],
  );
  assert.deepEqual(all.after, []);
});

test("a verify of the service event has the transcriber read the directory", async () => {
  const asked: number[] = [];
  await using all = await scene({ verifyDirectory: (at) => asked.push(at) > 1 });
  await all.listen();
  for (const at of [7, 8]) await all.publish({ ...orderTo("a", { service: "event", order: "verify" }), at });
  await until(() => all.answers.length === 2);
  assert.deepEqual(asked, [7, 8]);
  assert.deepEqual(
    all.answers.map(({ outcome }) => outcome.text),
    ["its transcriber has not started yet", "the directory is read again"],
  );
});

test("orders of another user, without a trusted signature or malformed change nothing", async () => {
  const hosts = new Map([
    ["civet", ["event"]],
    ["a", ["dhcp"]],
  ]);
  await using byUser = await scene({ wrongTranscriber: onlyTranscribers({ hosts }, "a", "trigger-a") });
  await byUser.listen();
  await byUser.publish(orderTo("a", { service: "dhcp", order: "hold" }));
  await until(() => byUser.logged.length === 1);
  assert.equal(byUser.store.service("dhcp").untrusted.read()?.count, 1);
  assert.match(byUser.logged[0] ?? "", /^an order is rejected: it was sent without the name/);

  await using bySignature = await scene({ distrust: () => "it is not signed" });
  await bySignature.listen();
  await bySignature.publish(orderTo("a", { service: "dhcp", order: "hold" }));
  await until(() => bySignature.logged.length === 1);
  assert.ok(bySignature.logged[0]?.endsWith("is rejected: it is not signed"));

  await using malformed = await scene();
  await malformed.listen();
  for (const body of ["", "{", "[]", '{"trigger":1,"kind":"order"}', "x".repeat(600_000)]) {
    await malformed.publishText(body);
  }
  await until(() => malformed.hub.look("trigger-a-control").length === 0);
  assert.ok(malformed.logged.every((line) => /^an order is rejected: /.test(line)));
  for (const { obeyed, answers } of [byUser, bySignature, malformed]) assert.deepEqual([obeyed, answers], [[], []]);
});

test("an order whose id is more than a day ahead is refused", async () => {
  await using all = await scene();
  await all.listen();
  await all.publish(orderTo("a", { service: "dhcp", order: "hold" }, start + 25 * 3_600_000));
  await all.publish(orderTo("a", { service: "dhcp", order: "regen" }, start + 23 * 3_600_000));
  await until(() => all.answers.length === 2);
  assert.equal(
    all.answers[0]?.outcome.text,
    "its id is more than a day ahead of the clock of a, which says 2026-11-30T00:00:00.000Z",
  );
  assert.deepEqual(all.obeyed, ["regen"]);
});

test("an order waits half a minute for its host, and no longer", async () => {
  await using all = await scene();
  await all.publish(orderTo("a", { service: "dhcp", order: "hold" }));
  await all.clock.advance(20_000);
  await all.publish(orderTo("a", { service: "dhcp", order: "regen" }));
  await all.clock.advance(15_000);
  await all.listen();
  await until(() => all.answers.length === 1);
  assert.deepEqual(all.obeyed, ["regen"]);
});

test("an order by the socket needs no broker, and its answer is sent later", async () => {
  await using all = await scene();
  const order = orderTo("a", { service: "dhcp", order: "hold" });
  assert.deepEqual(await all.orders.obey(order), { done: true, text: "well" });
  assert.deepEqual(await all.orders.obey(order), { done: true, text: "well" });
  assert.deepEqual([all.obeyed, all.answers], [["hold"], []]);
  await all.listen();
  await until(() => all.answers.length === 1);
  assert.deepEqual([all.answers[0]?.way, all.answers[0]?.order.id], ["socket", order.id]);
  await all.orders.sendAnswers();
  assert.equal(all.answers.length, 1);
});

test("an order that cannot be stored is refused, and has no effect", async () => {
  await using all = await scene();
  await all.listen();
  all.database.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'the disk is full'); END");
  await all.publish(orderTo("a", { service: "dhcp", order: "hold" }));
  await until(() => all.answers.length === 1);
  assert.match(all.answers[0]?.outcome.text ?? "", /^it could not be stored: the disk is full/);
  assert.equal(all.store.service("dhcp").readFacts()?.held, undefined);
  assert.deepEqual(all.after, []);
});
