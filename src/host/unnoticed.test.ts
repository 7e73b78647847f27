import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../test/fixtures/empty-store.ts";
import { row, running, simulatedService } from "../../test/fixtures/host.ts";
import { until } from "../../test/until.ts";
import { CellTable } from "../core/stream/cell-table.ts";
import { StreamWriter } from "../core/stream/transcriber-end.ts";
import { Fatal } from "../core/util/errors.ts";
import { receiver } from "./inbox/receive.ts";
import { hostStore } from "./store/host-store.ts";

/** Events at the one unobserved moment, found by the simulation of the whole system and by killed processes. */

test("a machine restarted just before a run by changes is given every row", async () => {
  await using world = await running();
  const { dhcp, machine, say } = world;
  dhcp.served.clear();
  machine.powerCut();
  await say([["k2", row("b", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  assert.equal(dhcp.seen.changes.at(-1), undefined);
  assert.equal(dhcp.served.size, 2);
});

test("rows applied in doubt are all run again once the table is equal", async () => {
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

test("a new row that was tried and then withdrawn leaves the daemon", async () => {
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

test("rows that arrive during a fatal run end its wait", async () => {
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

test("changed rows end the wait of a fatal error in their own transaction", async () => {
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const database = emptyStore();
  const store = hostStore(database).service("dhcp");
  const rows = store.rows(definition.table);
  const inbox = { store, service: definition, rows };
  store.write({ fatal: "this text will never load" });
  const { take } = receiver("a", inbox, { log() {} });
  const [message] = new StreamWriter("dhcp", new CellTable("dhcp"), { epoch: 1 }).rows([["k", row("a", "10.0.0.1")]], {
    state: [],
    clock: 0,
  });
  const body = new TextEncoder().encode(JSON.stringify(message));
  await take([{ key: "trigger.dhcp", body, redelivered: false, ack() {} }], 0, new AbortController().signal);
  assert.equal(store.facts?.fatal, undefined);
  database.close();
});

test("a doubt that ends during a run makes the next run full", async () => {
  await using world = await running();
  const { dhcp, clock, lose, say, report } = world;
  dhcp.controls.before = async () => {
    dhcp.controls.before = () => {};
    assert.equal(report().doubt, true);
    await until(() => report().doubt === false);
  };
  lose([["k", row("a", "10.0.0.2")]]);
  await say([["k2", row("b", "10.0.0.1")]]);
  await until(async () => {
    await clock.advance(1000);
    return dhcp.seen.runs > 2 && report().pending === 0;
  });
  assert.equal(dhcp.seen.changes.at(-1), undefined);
});

test("a full run asked for during a run is still pending after it", async () => {
  await using world = await running();
  const { dhcp, clock, say, give, facts } = world;
  dhcp.controls.before = async () => {
    dhcp.controls.before = () => {};
    await give({ order: "regen" });
    await until(() => facts()?.full === 1);
  };
  await say([["k2", row("b", "10.0.0.2")]]);
  await until(async () => {
    await clock.advance(1000);
    return dhcp.seen.runs === 3;
  });
  assert.equal(dhcp.seen.changes.at(-1), undefined);
});

test("a run that ends after its deadline has applied no row", async () => {
  await using world = await running();
  const { dhcp, clock, say, facts } = world;
  const ends = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  dhcp.controls.before = async () => {
    dhcp.controls.before = () => {
      throw new Error("it does not answer");
    };
    await ends.promise;
  };
  dhcp.controls.after = () => ended.resolve();
  await say([["k2", row("b", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  await until(async () => {
    await clock.advance(60_000);
    return facts()?.failing !== undefined;
  });
  const before = facts()?.applied;
  ends.resolve();
  await ended.promise;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(facts()?.applied, before);
  assert.notEqual(facts()?.failing, undefined);
});

test("rows that failed to be stored are not in the digest", async () => {
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const database = emptyStore();
  const store = hostStore(database).service("dhcp");
  const rows = store.rows(definition.table);
  const empty = rows.digest.root;
  const inbox = { store, service: definition, rows };
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON row WHEN NEW.key = 'k2' BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  );
  const taking = receiver("a", inbox, { log() {} });
  const changes = ["k", "k2"].map((key, index): [string, string] => [key, row(key, `10.0.0.${index}`)]);
  const [message] = new StreamWriter("dhcp", new CellTable("dhcp"), { epoch: 1 }).rows(changes, {
    state: [],
    clock: 0,
  });
  const body = new TextEncoder().encode(JSON.stringify(message));
  const acknowledged: string[] = [];
  const delivery = { key: "trigger.dhcp", body, redelivered: false, ack: () => void acknowledged.push("dhcp") };
  await assert.rejects(taking.take([delivery], 0, new AbortController().signal), /the disk is full/);
  assert.equal(rows.digest.root, empty);
  assert.deepEqual(taking.followed, {}, "nor counted as taken: they come again");
  assert.deepEqual(acknowledged, []);
  database.close();
});
