import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { z } from "zod";
import { virtualClock } from "../../test/virtual-clock.ts";
import { service, type Table } from "../core/service.ts";
import { simulatedDaemon, stepsFor } from "./install/scene.fixture.ts";
import { runTable } from "./run.ts";
import { createStoreTables, oweFullRun, readFacts } from "./store.ts";
import { createWordsTables } from "./words.ts";

const path = "/etc/demo/hosts.conf";
const file = { path, text: "good" };

test("a full run finds a daemon that lost its state, loads it again, and only then says that it is proved", async () => {
  const definition = service({
    row: z.object({ name: z.string() }),
    select: () => undefined,
    async run(_, host) {
      await host.install(file, stepsFor([file]));
    },
  });
  const { table } = definition as unknown as { table: Table };
  const daemon = simulatedDaemon([path]);
  const database = new DatabaseSync(":memory:");
  createStoreTables(database);
  createWordsTables(database);
  const { signal } = new AbortController();
  const { machine } = daemon;
  const context = { host: "a", service: "demo", database, machine, clock: virtualClock(0), signal, log: () => {} };
  await runTable(table, context);
  daemon.running.clear();
  await runTable(table, context);
  assert.equal(daemon.running.get(path), undefined, "a run with changes has no reason to look");
  oweFullRun(database, "demo");
  await runTable(table, context);
  assert.equal(daemon.running.get(path), "good");
  assert.equal(readFacts(database, "demo")?.proved, true);
  database.close();
});
