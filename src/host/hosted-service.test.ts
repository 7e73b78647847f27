import assert from "node:assert/strict";
import { test } from "node:test";
import { plainService, row, simulatedService } from "../../test/fixtures/host.ts";
import { storeOf, told } from "../../test/fixtures/host-parts.ts";
import { orderTo } from "../../test/fixtures/order.ts";
import { until } from "../../test/until.ts";
import type { Service } from "../core/service/service.ts";
import { hostKey, queueOf } from "../core/stream/routing.ts";
import { memoryHub } from "../testing/memory-broker.ts";
import { hostService } from "./hosted-service.ts";
import type { HostOptions } from "./options.ts";
import type { Comparable } from "./run/compare-daemon.ts";
import { hostStore } from "./store/host-store.ts";
import { waitingLimit } from "./store/messages.ts";

/** A composed service that listens to a broker in memory. */
async function hosted(service: Service, options: Partial<HostOptions> = {}, parts = storeOf(service)) {
  const { database, clock, machine, context } = parts;
  const hub = memoryHub();
  const publisher = hub.connect();
  await publisher.declare([queueOf("civet", "report", "report")]);
  const compared: Comparable[] = [];
  const compareInTurn = (of: Comparable) => {
    compared.push(of);
    return of.compare(context.signal);
  };
  const composed = hostService(
    "dhcp",
    service,
    {
      ...{
        name: "a",
        services: new Map([["dhcp", service]]),
        codes: new Map([["dhcp", "1"]]),
        store: hostStore(database),
        clock,
      },
      ...{ machineOf: () => machine, signal: context.signal, connect: async () => publisher, log: context.log },
      ...options,
    },
    { onReportChanged() {}, compareInTurn },
  );
  await composed.started;
  await composed.listen(hub.connect());
  return {
    ...{ ...parts, composed, compared, ...told() },
    asked: () => hub.look("trigger-civet-report").filter(({ body }) => `${Buffer.from(body)}`.includes('"ask"')).length,
    waits: () => hub.look(composed.queue.name).length,
    /** Gives an order, as the host's control queue does. */
    give(asked: object): void {
      const order = orderTo("a", { service: "dhcp", ...asked });
      composed.obey(order);
      composed.obeyed(order);
    },
    send: (message: object) => publisher.publish(hostKey("dhcp", "a"), JSON.stringify(message)),
    async [Symbol.asyncDispose]() {
      await composed.close();
      await parts.end(composed.ended);
    },
  };
}

test("stored rows of the conversation cause a run of the loop", async () => {
  const dhcp = simulatedService();
  await using all = await hosted(dhcp.definition);
  for (const message of [...all.rows([["k", row("a", "10.0.0.1")]]), all.digest()]) await all.send(message);
  await until(() => dhcp.served.size === 1);
});

test("a handled message makes room for one in the queue", async () => {
  const mail = plainService();
  await using all = await hosted(mail.definition);
  all.store.write({ held: { by: "person", detail: "" } });
  const body = new TextEncoder().encode('{"n":1}');
  all.store.transaction(() => {
    for (let n = 0; n < waitingLimit; n++) all.store.messages.store(body, undefined, 0);
  });
  await all.send({ n: 2 });
  await all.clock.advance(0);
  assert.equal(all.waits(), 1);
  all.store.write({ held: undefined });
  all.composed.runAgain();
  await until(() => all.waits() === 0);
});

test("an order ends the backoff of a run that failed", async () => {
  const dhcp = simulatedService();
  await using all = await hosted(dhcp.definition);
  dhcp.controls.before = () => {
    dhcp.controls.before = undefined;
    throw new Error("not yet");
  };
  await all.send(all.digest());
  await until(() => all.facts()?.failing !== undefined);
  all.give({ order: "retry" });
  await until(() => all.facts()?.failing === undefined);
  assert.equal(dhcp.seen.runs, 2);
});

test("a daemon's comparison waits while its table is in doubt", async () => {
  const dhcp = simulatedService();
  await using all = await hosted(dhcp.definition, { compareDaemon: async () => ({ state: "same" }) });
  await all.send(all.digest());
  await until(() => dhcp.seen.runs === 1);
  const before = all.asked();
  all.give({ order: "verify", at: 7 });
  await until(() => all.asked() > before);
  await all.send(all.digest());
  await until(() => all.compared.length === 1);
  const [comparable] = all.compared;
  assert.deepEqual([comparable?.busy(), comparable?.isPending(), comparable?.runs()], [false, false, 1]);
  all.rows([["k", row("a", "10.0.0.1")]]);
  for (const message of all.rows([["l", row("b", "10.0.0.2")]])) await all.send(message);
  await until(() => comparable?.isPending());
  assert.equal(comparable?.busy(), true);
});

test("a start makes a full run pending, and dates no removal ahead", async () => {
  const dhcp = simulatedService();
  const parts = storeOf(dhcp.definition);
  const ahead = parts.clock.now() + 86_400_000;
  parts.database.prepare("INSERT INTO removal (service, at, rows) VALUES ('dhcp', ?, 1)").run(ahead);
  await using all = await hosted(dhcp.definition, {}, parts);
  assert.deepEqual([all.facts()?.code, all.facts()?.full], ["1", 1]);
  assert.equal(all.database.prepare("SELECT at FROM removal").get()?.at, all.clock.now());
});
