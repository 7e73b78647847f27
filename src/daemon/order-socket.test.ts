import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { orderTo } from "../../test/fixtures/order.ts";
import { until } from "../../test/until.ts";
import type { OrderMessage, Outcome } from "../core/stream/order.ts";
import { askHost, serveOrders } from "./order-socket.ts";

/** A host with a socket, in a folder whose path is longer than a socket's may be. */
async function served(t: TestContext, obey: (order: OrderMessage) => Promise<Outcome>) {
  const state = join(mkdtempSync(join(tmpdir(), "trigger-socket-")), "long".repeat(40));
  mkdirSync(join(state, "box"), { recursive: true });
  const stop = new AbortController();
  const file = join(state, "box", "orders.sock");
  const ended = serveOrders(state, "box", obey, stop.signal);
  await until(() => existsSync(file));
  t.after(async () => {
    stop.abort();
    await ended;
    rmSync(state, { recursive: true });
  });
  return { state, file, stop, ended };
}

const order = orderTo("box", { service: "dhcp", order: "hold" });

test("a host takes orders on its socket, which its own user alone may open", async (t) => {
  const taken: OrderMessage[] = [];
  const { state, file, stop, ended } = await served(t, async (order) => {
    taken.push(order);
    return { done: true, text: "held" };
  });
  assert.deepEqual(await askHost(state, "box", order, t.signal), { done: true, text: "held" });
  assert.deepEqual(taken, [order]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  stop.abort();
  await ended;
  assert.ok(!existsSync(file));
  await assert.rejects(askHost(state, "box", order, t.signal), /^Error: the process of box takes no order$/);
});

test("the socket that a killed process left is replaced", async (t) => {
  const { state, file } = await served(t, async () => ({ done: true, text: "first" }));
  const stop = new AbortController();
  const ended = serveOrders(state, "box", async () => ({ done: true, text: "second" }), stop.signal);
  await until(() => existsSync(file));
  assert.deepEqual(await askHost(state, "box", order, t.signal), { done: true, text: "second" });
  stop.abort();
  await ended;
});

test("connections that stay open keep no host from stopping", async (t) => {
  const { state, stop, ended } = await served(t, async () => ({ done: true, text: "held" }));
  const before = process.cwd();
  process.chdir(state); // a socket's path is short
  t.after(() => process.chdir(before));
  const path = "box/orders.sock";
  const silent = createConnection({ path, allowHalfOpen: true });
  const answered = createConnection({ path, allowHalfOpen: true });
  let isEnded = false;
  void ended.then(() => {
    isEnded = true;
  });
  silent.on("error", () => {});
  answered.write(`${JSON.stringify(order)}\n`);
  await new Promise((resolve) => answered.once("data", resolve));
  stop.abort();
  try {
    await until(() => isEnded, { within: 5_000 });
  } finally {
    for (const socket of [silent, answered]) socket.destroy();
  }
});

test("an order that fails or cannot be read gets the reason, and stops none", async (t) => {
  const { state, file } = await served(t, async ({ service }) => {
    if (service === "bad") throw new Error("the store is gone");
    return { done: true, text: "held" };
  });
  const said = async (line: string): Promise<string> => {
    const socket = createConnection(file.replace(state, "/proc/self/cwd"));
    let text = "";
    socket.setEncoding("utf8").on("data", (more) => {
      text += more;
    });
    socket.write(line);
    await until(() => text.endsWith("\n"));
    socket.destroy();
    return text;
  };
  const before = process.cwd();
  process.chdir(state); // a socket's path is short
  t.after(() => process.chdir(before));
  assert.match(await said("{\n"), /^\{"done":false,"text":"/);
  assert.match(await said('{"trigger":1}\n'), /"done":false,"text":"kind: /);
  assert.match(await said(`${"x".repeat(600_000)}\n`), /more than 524288 bytes/);
  const failed = await askHost(state, "box", { ...order, service: "bad" }, t.signal);
  assert.deepEqual(failed, { done: false, text: "the store is gone" });
  assert.deepEqual(await askHost(state, "box", order, t.signal), { done: true, text: "held" });
});
