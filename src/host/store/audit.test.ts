import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { orderTo } from "../../../test/fixtures/order.ts";
import { auditLimit, auditOf } from "./audit.ts";

const done = { done: true, text: "a full run is due" };

test("an order is listed for each host, with its answer once there is one", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const order = orderTo(["a", "b"], { service: "dhcp", order: "regen" }, 5);
  audit.ask(order, "trigger-civet", 10);
  audit.answer({ host: "b", order, user: "trigger-b", way: "broker", at: 20, outcome: done });
  const [a, b] = audit.ofOrder(order.id);
  assert.deepEqual([a?.host, a?.outcome, a?.answered], ["a", undefined, undefined]);
  assert.deepEqual([b?.host, b?.outcome, b?.answered, b?.user], ["b", done, 20, "trigger-civet"]);
  assert.deepEqual(b?.order, { ...order, hosts: ["b"] });
});

test("the first answer of a host stays", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const order = orderTo("a", { service: "dhcp", order: "regen" });
  const from = { host: "a", order, user: undefined, way: "broker" as const };
  audit.answer({ ...from, at: 1, outcome: done });
  audit.answer({ ...from, at: 2, outcome: { done: false, text: "no" } });
  audit.ask(order, undefined, 3);
  assert.deepEqual(audit.find(order.id, "a")?.outcome, done);
});

test("the newest thousand orders of each host are kept, and older ones known", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const orders = Array.from({ length: auditLimit + 2 }, (_, at) =>
    orderTo("a", { service: "dhcp", order: "hold" }, at),
  );
  const other = orderTo("b", { service: "dhcp", order: "hold" }, 0);
  audit.ask(other, undefined, 0);
  for (const order of orders) {
    audit.answer({ host: "a", order, user: undefined, way: "socket", at: 0, outcome: done });
  }
  assert.deepEqual([audit.find(orders[1]!.id, "a"), audit.isForgotten(orders[1]!.id, "a", 0)], [undefined, true]);
  assert.equal(audit.find(orders[2]!.id, "a")?.order.at, 2);
  assert.ok(!audit.isForgotten(orderTo("a", {}, auditLimit + 5).id, "a", 0));
  assert.equal(audit.find(other.id, "b")?.order.id, other.id);
  assert.deepEqual(
    audit
      .newest()
      .slice(0, 2)
      .map(({ order }) => order.at),
    [auditLimit + 1, auditLimit],
  );
});

test("a thousand ids of the future push out no real order, and block none", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const day = 24 * 3_600_000;
  const from = { host: "a", user: "trigger-civet", way: "broker" as const, at: 10, outcome: done };
  for (let n = 0; n <= auditLimit; n++) {
    const { id, ...order } = orderTo("a", { service: "dhcp", order: "hold" });
    audit.answer({ ...from, order: { ...order, id: `ffffffff${id.slice(8)}` } });
  }
  const real = orderTo("a", { service: "dhcp", order: "hold" }, 5);
  assert.ok(!audit.isForgotten(real.id, "a", 10));
  audit.answer({ ...from, order: real });
  assert.equal(audit.find(real.id, "a")?.order.at, 5);
  const isOfFuture = (at: number): boolean => audit.isOfFuture(orderTo("a", {}, at).id, 10);
  assert.deepEqual([isOfFuture(9 + day), isOfFuture(11 + day)], [false, true]);
});

test("answers that a host invents push out no order of a person", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const real = orderTo("a", { service: "dhcp", order: "hold" }, 5);
  audit.ask(real, "trigger-civet", 5);
  for (let at = 10; at <= auditLimit + 10; at++) {
    const order = orderTo("a", { service: "dhcp", order: "drop" }, at);
    audit.answer({ host: "a", order, user: "trigger-a", way: "broker", at, outcome: done });
  }
  assert.equal(audit.find(real.id, "a")?.order.order, "hold");
  assert.equal(audit.newest().length, auditLimit + 1);
});

test("an answer is sent until a transcriber has it", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  const order = orderTo("a", { service: "dhcp", order: "regen" });
  audit.answer({ host: "a", order, user: undefined, way: "socket", at: 1, outcome: done }, { unsent: true });
  assert.equal(audit.unsent("a").length, 1);
  audit.sent(order.id, "a");
  assert.deepEqual(audit.unsent("a"), []);
});

test("an entry that cannot be read is left out", () => {
  using database = emptyStore();
  const audit = auditOf(database);
  for (const at of [1, 2]) audit.ask(orderTo("a", { service: "dhcp", order: "regen" }, at), undefined, at);
  database.exec("UPDATE audit SET body = '{' WHERE at = 1");
  assert.deepEqual(
    audit.newest().map(({ at }) => at),
    [2],
  );
});
