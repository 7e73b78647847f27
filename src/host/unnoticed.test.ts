import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { until } from "../../test/until.ts";
import { Fatal } from "../core/outcome.ts";
import { Table } from "../core/table.ts";
import { Telling } from "../core/tell.ts";
import { row, running, simulatedService } from "./host.fixture.ts";
import { storedMessages } from "./messages.ts";
import { receiver } from "./receive.ts";
import { storedRows } from "./rows.ts";
import { createStoreTables, readFacts, writeFacts } from "./store.ts";

/** What happens at the one moment at which nobody looks: found by the simulation of the whole system, and by processes that were killed. */

test("a machine that was restarted just before a run by changes is given every row", async () => {
  await using world = await running();
  const { dhcp, machine, say } = world;
  dhcp.served.clear();
  machine.powerCut();
  await say([["k2", row("b", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  assert.equal(dhcp.seen.changes.at(-1), undefined);
  assert.equal(dhcp.served.size, 2);
});

test("what ran on rows that may contradict each other runs on all of them when the table is known to be right", async () => {
  await using world = await running();
  const { dhcp, clock, lose, say, report } = world;
  lose([["k", row("a", "10.0.0.2")]]);
  await say([["k2", row("b", "10.0.0.1")]]);
  await until(() => dhcp.seen.runs === 2);
  await until(() => report().doubt === false);
  for (let left = 3; left > 0; left--) await clock.advance(1000);
  assert.equal(dhcp.seen.changes.at(-1), undefined);
  assert.deepEqual(
    [...dhcp.served.values()].map(({ ip }) => ip),
    ["10.0.0.2", "10.0.0.1"],
  );
});

test("a row that was tried for the first time and then taken back does not stay in the daemon", async () => {
  await using world = await running();
  const { dhcp, clock, say } = world;
  dhcp.controls.after = () => {
    throw new Error("it broke half-way");
  };
  await say([["k2", row("b", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  assert.ok(dhcp.served.has("k2"));
  dhcp.controls.after = () => {};
  await say([["k2", null]]);
  await clock.advance(1000);
  await until(() => dhcp.seen.runs === 3);
  await until(() => !dhcp.served.has("k2"));
});

test("rows that arrive during a run that cannot succeed are not waited for: they are there", async () => {
  await using world = await running();
  const { dhcp, clock, say, report, telling } = world;
  const arrived = Promise.withResolvers<void>();
  dhcp.controls.before = async () => {
    if (dhcp.seen.runs > 2) return;
    await arrived.promise;
    throw new Fatal("this text will never load");
  };
  await say([["k2", row("wrong", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  await say([["k2", row("right", "10.0.0.2")]]);
  await until(() => report().stored?.seq === telling.seq);
  arrived.resolve();
  await until(async () => {
    await clock.advance(1000);
    return dhcp.served.get("k2")?.name === "right";
  });
});

test("a service that waits for its rows to move waits no longer once they are stored, whatever becomes of the process", async () => {
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const database = new DatabaseSync(":memory:");
  createStoreTables(database);
  const rows = storedRows(database, "dhcp", definition.table);
  const store = { database, name: "dhcp", service: definition, rows, messages: storedMessages(database, "dhcp") };
  writeFacts(database, "dhcp", { fatal: "this text will never load" });
  const { take } = receiver("a", store, { obey() {}, log() {} });
  const [message] = new Telling("dhcp", new Table("dhcp"), { epoch: 1 }).rows([["k", row("a", "10.0.0.1")]], {
    state: [],
    clock: 0,
  });
  const body = new TextEncoder().encode(JSON.stringify(message));
  await take([{ key: "trigger.dhcp", body, redelivered: false, ack() {} }], 0, new AbortController().signal);
  assert.equal(readFacts(database, "dhcp")?.fatal, undefined);
  database.close();
});
