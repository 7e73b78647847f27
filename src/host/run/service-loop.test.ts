import assert from "node:assert/strict";
import { test } from "node:test";
import { plainService, row, simulatedService } from "../../../test/fixtures/host.ts";
import { delivered, storeOf, told } from "../../../test/fixtures/host-parts.ts";
import { until } from "../../../test/until.ts";
import type { Service } from "../../core/service/service.ts";
import { TextRefused } from "../../core/util/errors.ts";
import { Unusable } from "../../sqlite/integrity.ts";
import { receiver } from "../inbox/receive.ts";
import { ServiceLoop, type ServiceLoopInputs } from "./service-loop.ts";

/** A loop over a store that the test fills: no broker, no transcriber. */
function looping(service: Service, inputs: Partial<ServiceLoopInputs> = {}) {
  const parts = storeOf(service);
  const { inbox, context, clock } = parts;
  const seen = { ran: 0, changed: 0 };
  const intake = receiver("a", inbox, { log() {} });
  const loop = new ServiceLoop({
    ...{ service, context, waveWithin: undefined, ready: Promise.resolve() },
    ran: () => void seen.ran++,
    onReportChanged: () => void seen.changed++,
    ...inputs,
  });
  const { rows, digest } = told();
  const arrive = async (...messages: readonly object[]): Promise<void> => {
    await intake.take(messages.map(delivered), clock.now(), context.signal);
    loop.poke();
    await clock.advance(0);
  };
  return {
    ...{ ...parts, seen, loop, arrive, rows, digest },
    [Symbol.asyncDispose]: () => parts.end(loop.ended),
  };
}

/** A loop that has run once, on one row, and may run again at once. */
async function applied(inputs: Partial<ServiceLoopInputs> = {}) {
  const dhcp = simulatedService();
  const all = looping(dhcp.definition, inputs);
  all.loop.runAgain();
  await all.arrive(...all.rows([["k", row("a", "10.0.0.1")]]), all.digest());
  await until(() => all.seen.ran === 1);
  await all.clock.advance(1000);
  return { ...all, dhcp };
}

test("a table never found equal gets no run", async () => {
  const dhcp = simulatedService();
  await using all = looping(dhcp.definition);
  await all.arrive(...all.rows([["k", row("a", "10.0.0.1")]]));
  await all.clock.advance(60_000);
  assert.equal(dhcp.seen.runs, 0);
  await all.arrive(all.digest());
  await until(() => dhcp.served.size === 1);
});

test("the first run waits until the rows have been read", async () => {
  const ready = Promise.withResolvers<void>();
  const dhcp = simulatedService();
  await using all = looping(dhcp.definition, { ready: ready.promise });
  await all.arrive(...all.rows([["k", row("a", "10.0.0.1")]]), all.digest());
  assert.equal(dhcp.seen.runs, 0);
  ready.resolve();
  await all.loop.started;
  assert.equal(dhcp.seen.runs, 1);
});

test("only a successful run is announced, after it has ended", async () => {
  const busy: boolean[] = [];
  await using all = await applied();
  const { dhcp, loop, seen } = all;
  dhcp.controls.before = () => {
    busy.push(loop.busy);
    throw new Error("not yet");
  };
  await all.arrive(...all.rows([["k", row("b", "10.0.0.2")]]));
  await until(() => loop.runs === 2 && !loop.busy);
  assert.deepEqual([busy, seen.ran], [[true], 1]);
  dhcp.controls.before = () => {};
  await all.clock.advance(1000);
  await until(() => seen.ran === 2);
  assert.equal(loop.runs, 3);
});

test("pending rows wait for the earlier wave until a person ends the wait", async () => {
  await using all = await applied({ waveWithin: 60_000 });
  await all.arrive(...all.rows([["k", row("b", "10.0.0.2")]]));
  await all.clock.advance(59_000);
  assert.equal(all.dhcp.seen.runs, 1);
  all.loop.endWait();
  await all.arrive();
  await until(() => all.dhcp.served.get("k")?.ip === "10.0.0.2");
});

test("a held service gets no run for new rows", async () => {
  await using all = await applied();
  all.store.write({ held: { by: "person", detail: "" } });
  await all.arrive(...all.rows([["k", row("b", "10.0.0.2")]]));
  all.loop.runAgain();
  await all.clock.advance(60_000);
  assert.equal(all.loop.runs, 1);
});

test("a restarted daemon makes one full run pending", async () => {
  await using all = await applied();
  await all.loop.lookAtDaemon();
  await all.clock.advance(2000);
  assert.equal(all.loop.runs, 1);
  all.machine.powerCut();
  await all.loop.lookAtDaemon();
  await until(() => all.seen.ran === 2);
  assert.equal(all.dhcp.seen.changes.at(-1), undefined);
  await all.loop.lookAtDaemon();
  await all.clock.advance(2000);
  assert.equal(all.loop.runs, 2);
});

test("a text that a check refuses with any rows gets a second chance", async () => {
  await using all = await applied();
  all.dhcp.controls.before = () => {
    all.dhcp.controls.before = () => {};
    throw new TextRefused("the checker was killed");
  };
  all.loop.runAgain();
  await until(() => all.facts()?.fatal !== undefined);
  await all.clock.advance(31_000);
  await until(() => all.seen.ran === 2);
});

test("plain messages are handled in order, and none during a person's hold", async () => {
  const mail = plainService();
  await using all = looping(mail.definition);
  await all.arrive({ n: 1 }, { n: 2 });
  await until(() => mail.handled.length === 2);
  all.store.write({ held: { by: "person", detail: "" } });
  await all.arrive({ n: 3 });
  await all.clock.advance(60_000);
  assert.deepEqual(mail.handled, [1, 2]);
  all.store.write({ held: undefined });
  await all.arrive();
  await until(() => mail.handled.length === 3);
});

test("damage to the store ends the loop", async () => {
  await using all = await applied();
  all.damage();
  all.loop.poke();
  await assert.rejects(all.loop.ended, Unusable);
});
