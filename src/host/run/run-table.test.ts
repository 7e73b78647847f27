import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { row, running } from "../../../test/fixtures/host.ts";
import { simulatedDaemon, stepsFor } from "../../../test/fixtures/install.ts";
import { until } from "../../../test/until.ts";
import { service, type Table } from "../../core/service/service.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { hostStore } from "../store/host-store.ts";
import { runTable } from "./run-table.ts";

const path = "/etc/demo/hosts.conf";
const file = { path, text: "good" };

test("a full run restores a daemon that lost its state, then is serving", async () => {
  const definition = service({
    row: z.object({ name: z.string() }),
    select: () => undefined,
    async run(_, host) {
      await host.install(file, stepsFor([file]));
    },
  });
  const { table } = definition as unknown as { table: Table };
  const daemon = simulatedDaemon([path]);
  const database = emptyStore();
  const { signal } = new AbortController();
  const { machine } = daemon;
  const store = hostStore(database).service("demo");
  const context = { host: "a", store, machine, clock: virtualClock(0), signal, log: () => {} };
  await runTable(table, context);
  daemon.running.clear();
  await runTable(table, context);
  assert.equal(daemon.running.get(path), undefined, "a run with changes has no reason to look");
  store.orderFullRun();
  await runTable(table, context);
  assert.equal(daemon.running.get(path), "good");
  assert.equal(store.facts?.serving, true);
  database.close();
});

test("a full run asked for during a full run is done after it", async () => {
  await using world = await running();
  const { dhcp, clock, give, facts } = world;
  dhcp.controls.before = async () => {
    dhcp.controls.before = undefined;
    await give({ order: "regen" });
    await until(() => world.logged.filter((line) => line.includes("asked to regen")).length === 2);
  };
  await give({ order: "regen" });
  await until(() => clock.advance(1000).then(() => dhcp.seen.runs === 3));
  await until(() => facts()?.full === 0);
  assert.deepEqual(dhcp.seen.changes.slice(-2), [undefined, undefined]);
});

test("a row that changes while its daemon refuses it is tried again", async () => {
  await using world = await running();
  const { dhcp, clock, say, report, telling } = world;
  dhcp.controls.result = { refused: [{ key: "j", why: "no subnet" }] };
  dhcp.controls.before = async () => {
    dhcp.controls.before = () => {
      dhcp.controls.result = undefined;
    };
    await say([["j", row("good", "10.0.0.3")]]);
    await until(() => report().stored?.seq === telling.seq);
  };
  await say([["j", row("bad", "10.0.0.2")]]);
  await until(() => clock.advance(1000).then(() => dhcp.served.get("j")?.name === "good"));
  await until(() => report().refusedCount === 0);
});

test("a daemon restarted during a run by changes is given every row", async () => {
  await using world = await running();
  const { dhcp, clock, say, machine } = world;
  dhcp.controls.before = () => {
    dhcp.controls.before = undefined;
    machine.powerCut();
    dhcp.served.clear();
  };
  await say([["j", row("b", "10.0.0.2")]]);
  await until(() => clock.advance(10_000).then(() => dhcp.served.size === 2));
});
