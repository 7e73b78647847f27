import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { right } from "../../test/fixtures/config.ts";
import { until } from "../../test/until.ts";
import { readConfig } from "../core/config/config.ts";
import type { Asked } from "../core/stream/order.ts";
import type { Broker } from "../ports/broker.ts";
import type { Project } from "../project/project.ts";
import { giveOrder } from "./give-order.ts";

/** A project on a machine without any host, and an order to `dhcp1` by a broker that takes a message as `publish` does. */
function scene(t: TestContext, publish: (key: string) => Promise<void>) {
  const state = mkdtempSync(join(tmpdir(), "trigger-order-"));
  t.after(() => rmSync(state, { recursive: true }));
  const config = readConfig({ ...right, broker: { url: "amqps://trigger@box" } }, "trigger.config.ts");
  const project: Project = { folder: state, configFile: "trigger.config.ts", config, ldifFile: "", state };
  const stop = new AbortController();
  const closed: string[] = [];
  const broker = { declare: async () => {}, publish, close: async () => void closed.push("closed") };
  return {
    ...{ stop, closed },
    give: (why = "", asked: Partial<Asked> = {}, hosts = ["dhcp1"]) =>
      giveOrder(project, {
        ...{ asked: { service: "dhcp", order: "hold", why, ...asked }, hosts, signal: stop.signal },
        connect: async () => broker as Partial<Broker> as Broker,
      }),
  };
}

test("transcribers get their copy of an order before the host gets it", async (t) => {
  const keys: string[] = [];
  const { give, closed } = scene(t, async (key) => void keys.push(key));
  const [answer] = await give();
  assert.deepEqual(keys, ["trigger.report", "trigger.control.dhcp1"]);
  assert.ok(answer && "none" in answer && answer.none === "unheard");
  assert.deepEqual(closed, ["closed"]);
});

test("a broker that takes nothing delays an order for a quarter of a minute", async (t) => {
  const keys: string[] = [];
  const taken = Promise.withResolvers<void>();
  const { give, closed } = scene(t, (key) => {
    keys.push(key);
    return taken.promise;
  });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { now } = performance;
  let passed = 0;
  t.mock.method(performance, "now", () => now.call(performance) + passed);
  const given = give();
  while (keys.length === 0) await Promise.resolve();
  passed = 16_000;
  t.mock.timers.tick(16_000);
  const [answer] = await given;
  assert.ok(answer && "none" in answer && answer.none === "unreached");
  assert.match(answer.why, /^the broker does not take it within 15 s; give it on civet, or on the host itself$/);
  taken.resolve();
  await until(() => closed.length === 1);
  assert.deepEqual(keys, ["trigger.report"]);
});

test("a person who gives up waits for no broker", async (t) => {
  const { give, stop } = scene(t, () => {
    stop.abort(new Error("stopped by SIGINT"));
    return new Promise(() => {});
  });
  const [answer] = await give();
  assert.ok(answer && "none" in answer && answer.why.startsWith("stopped by SIGINT; "));
});

test("an order that no host would read is not given", async (t) => {
  const { give, closed } = scene(t, async () => {});
  await assert.rejects(give("w".repeat(5000)), { name: "UserError", message: /^no host takes this order: why: / });
  assert.deepEqual(closed, []);
});

test("one message is dropped on the one host that is named", async (t) => {
  const { give, closed } = scene(t, async () => {});
  const message = "drop 3: each host has its own numbers; --host HOST names one of dhcp1, ns1";
  await assert.rejects(give("", { order: "drop", number: 3 }, ["dhcp1", "ns1"]), { name: "UserError", message });
  assert.deepEqual(closed, []);
});
