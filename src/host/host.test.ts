import assert from "node:assert/strict";
import { test } from "node:test";
import { hostScene, row, running, simulatedService } from "../../test/fixtures/host.ts";
import { until } from "../../test/until.ts";
import { type CellChange, canonical, refusedCell } from "../core/stream/cells.ts";
import { queueName } from "../core/stream/routing.ts";
import { Fatal } from "../core/util/errors.ts";
import { memoryHub } from "../testing/memory-broker.ts";
import { runHost } from "./host.ts";

test("a new host asks for its table and runs once it is equal", async () => {
  const dhcp = simulatedService();
  const { say, up, report, end } = hostScene(dhcp.definition);
  await say(Array.from({ length: 1200 }, (_, i): CellChange => [`k${i}`, row(`m${i}`, `10.0.${i >> 8}.${i & 255}`)]));
  const host = up();
  await until(() => dhcp.served.size === 1200);
  assert.equal(dhcp.seen.runs, 1);
  assert.equal(report().pending, 0);
  assert.ok(report().equal);
  await host.down();
  end();
});

test("an empty table is a table: its service runs on it", async () => {
  const dhcp = simulatedService();
  const { up, end } = hostScene(dhcp.definition);
  const host = up();
  await until(() => dhcp.seen.runs === 1);
  assert.deepEqual(dhcp.seen.changes, [undefined]);
  await host.down();
  end();
});

test("a host whose socket for orders cannot be made runs, and tries again", async () => {
  const dhcp = simulatedService();
  let tries = 0;
  const serveOrders = async (): Promise<void> => {
    tries += 1;
    if (tries < 3) throw new Error("no space left on device");
  };
  const { up, clock, logged, end } = hostScene(dhcp.definition, { serveOrders });
  const host = up();
  await until(() => dhcp.seen.runs === 1);
  await clock.advance(60_000);
  assert.equal(tries, 3);
  assert.match(logged.join("\n"), /its socket for orders: no space left on device/);
  await host.down();
  end();
});

test("the first change runs at once, and a burst after it makes one run", async () => {
  const dhcp = simulatedService();
  const { say, up, clock, end } = hostScene(dhcp.definition);
  const host = up();
  await until(() => dhcp.seen.runs === 1);
  await clock.advance(5000);
  await say([["k", row("first", "10.0.0.1")]]);
  await until(() => dhcp.served.size === 1);
  for (let i = 0; i < 200; i++) await say([[`b${i}`, row(`b${i}`, `10.1.0.${i}`)]]);
  await clock.advance(999);
  assert.equal(dhcp.seen.runs, 2);
  await clock.advance(1);
  await until(() => dhcp.served.size === 201);
  assert.equal(dhcp.seen.runs, 3);
  assert.equal(dhcp.seen.changes[2]?.length, 200);
  await host.down();
  end();
});

test("a change that was tried and then reverted leaves the daemon", async () => {
  await using world = await running();
  const { dhcp, say, clock, report } = world;
  dhcp.controls.after = () => {
    throw new Error("the daemon died in the middle");
  };
  await say([["k", row("typo", "10.0.0.1")]]);
  await until(() => report().failing);
  assert.equal(dhcp.served.get("k")?.name, "typo");
  dhcp.controls.after = undefined;
  await say([["k", row("a", "10.0.0.1")]]);
  await clock.advance(1000);
  await until(() => !report().failing);
  assert.equal(dhcp.served.get("k")?.name, "a");
  assert.equal(dhcp.seen.interrupted.at(-1), true);
});

test("a restarted host runs pending rows from its store before it connects", async () => {
  const dhcp = simulatedService();
  const world = hostScene(dhcp.definition);
  await world.say([["k", row("a", "10.0.0.1")]]);
  const first = world.up();
  await until(() => dhcp.served.size === 1);
  await world.clock.advance(1000);
  let release = (): void => {};
  dhcp.controls.before = () => new Promise<void>((resolve) => (release = resolve));
  await world.say([["j", row("b", "10.0.0.2")]]);
  await until(() => dhcp.seen.runs === 2);
  const killed = first.kill();
  release();
  await killed;
  dhcp.controls.before = undefined;
  dhcp.served.clear();

  const stop = new AbortController();
  let asked = false;
  const running = runHost({
    name: "a",
    services: new Map([["dhcp", dhcp.definition]]),
    codes: new Map(),
    store: world.store,
    machineOf: () => world.machine,
    clock: world.clock,
    signal: stop.signal,
    log: () => {},
    async connect() {
      assert.deepEqual([...dhcp.served.keys()].sort(), ["j", "k"]);
      asked = true;
      return world.hub.connect();
    },
  });
  await until(() => asked);
  assert.equal(world.report().pending, 0);
  stop.abort();
  await running;
  world.end();
});

test("messages during a run do not change the run's rows", async () => {
  await using world = await running();
  const { dhcp, say, clock, report } = world;
  let release = (): void => {};
  dhcp.controls.before = () => new Promise<void>((resolve) => (release = resolve));
  await say([["k", row("b", "10.0.0.1")]]);
  await until(() => dhcp.seen.runs === 2);
  const before = report().stored?.seq;
  await say([["k", row("c", "10.0.0.1")]]);
  await until(() => report().stored?.seq !== before);
  release();
  dhcp.controls.before = undefined;
  await until(() => dhcp.served.get("k")?.name === "b");
  assert.equal(report().pending, 1);
  await clock.advance(1000);
  await until(() => dhcp.served.get("k")?.name === "c");
  assert.equal(report().pending, 0);
});

test("a refused row is retained until a good row claims its unique value", async () => {
  await using world = await running();
  const { dhcp, say, clock, report } = world;
  await say([["k", refusedCell("its address is not one")]]);
  await until(() => report().refusedCount === 1);
  await clock.advance(1000);
  assert.equal(dhcp.served.get("k")?.ip, "10.0.0.1");
  assert.match(report().refused[0]?.why ?? "", /its address is not one/);
  await say([["j", row("new", "10.0.0.1")]]);
  await until(() => dhcp.served.has("j"));
  assert.equal(dhcp.served.has("k"), false);
  assert.equal(report().refusedCount, 1);
});

test("an entry refused as a whole retains each of its rows", async () => {
  const dhcp = simulatedService();
  const { say, up, clock, report, end } = hostScene(dhcp.definition);
  await say([
    ["e/1", row("a", "10.0.0.1")],
    ["e/2", row("b", "10.0.0.2")],
  ]);
  const host = up();
  await until(() => dhcp.served.size === 2);
  await clock.advance(1000);
  await say([
    ["e", refusedCell("select failed")],
    ["e/1", null],
    ["e/2", null],
  ]);
  await until(() => report().stored?.seq === 2);
  await clock.advance(60_000);
  assert.deepEqual([...dhcp.served.keys()], ["e/1", "e/2"]);
  await say([["e", null]]);
  await until(() => dhcp.served.size === 0);
  await host.down();
  end();
});

test("a row of another version is retained, and the others are applied", async () => {
  const dhcp = simulatedService();
  const { say, up, retained, end } = hostScene(dhcp.definition);
  await say([
    ["k", canonical({ name: "a", ip: "10.0.0.1", room: "42" })],
    ["j", row("b", "10.0.0.2")],
  ]);
  const host = up();
  await until(() => dhcp.served.has("j"));
  assert.equal(dhcp.served.has("k"), false);
  const [[key, by, detail] = []] = retained();
  assert.deepEqual([key, by], ["k", "version"]);
  assert.match(String(detail), /room/);
  await host.down();
  end();
});

test("a row that the daemon refuses waits; the others are applied", async () => {
  const dhcp = simulatedService();
  const { say, up, clock, report, end } = hostScene(dhcp.definition);
  dhcp.controls.result = { refused: [{ key: "k", why: "no such subnet" }] };
  await say([
    ["k", row("a", "10.9.0.1")],
    ["j", row("b", "10.0.0.2")],
  ]);
  const host = up();
  await until(() => dhcp.served.has("j"));
  assert.equal(report().pending, 0);
  assert.match(report().refused[0]?.why ?? "", /no such subnet/);
  dhcp.controls.result = undefined;
  await clock.advance(1000);
  await say([["k", row("a", "10.0.0.1")]]);
  await until(() => dhcp.served.has("k"));
  assert.equal(report().refusedCount, 0);
  await host.down();
  end();
});

test("a failed run is retried with growing waits, and its error is reported", async () => {
  const dhcp = simulatedService();
  const { say, up, clock, report, end } = hostScene(dhcp.definition);
  dhcp.controls.before = () => {
    throw new Error("the daemon is down");
  };
  await say([["k", row("a", "10.0.0.1")]]);
  const host = up();
  await until(() => report().failing);
  assert.equal(report().why, "the daemon is down");
  for (const [wait, runs] of [
    [1000, 2],
    [2000, 3],
    [4000, 4],
    [8000, 5],
    [16_000, 6],
    [30_000, 7],
    [30_000, 8],
  ] as const) {
    await clock.advance(wait - 1);
    assert.equal(dhcp.seen.runs, runs - 1);
    await clock.advance(1);
    await until(() => dhcp.seen.runs === runs);
  }
  dhcp.controls.before = undefined;
  await clock.advance(30_000);
  await until(() => !report().failing);
  await host.down();
  end();
});

test("a fatal error waits for changed rows or a retry", async () => {
  const dhcp = simulatedService();
  const { say, give, up, clock, report, end } = hostScene(dhcp.definition);
  dhcp.controls.before = () => {
    throw new Fatal("this text will never load");
  };
  await say([["k", row("a", "10.0.0.1")]]);
  const host = up();
  await until(() => report().failing);
  await clock.advance(600_000);
  assert.equal(dhcp.seen.runs, 1);
  await say([["k", row("b", "10.0.0.1")]]);
  await until(() => dhcp.seen.runs === 2);
  dhcp.controls.before = undefined;
  await clock.advance(1000);
  await give({ order: "retry" });
  await until(() => dhcp.served.get("k")?.name === "b");
  await host.down();
  end();
});

test("a regenerating run is given every row", async () => {
  await using world = await running();
  const { dhcp, give } = world;
  dhcp.served.clear();
  await give({ order: "regen" });
  await until(() => dhcp.served.size === 1);
  assert.equal(dhcp.seen.changes.at(-1), undefined);
});

test("a machine that was restarted is given every row", async () => {
  await using world = await running();
  const { dhcp, clock, machine } = world;
  dhcp.served.clear();
  machine.powerCut();
  await clock.advance(10_000);
  await until(() => dhcp.served.size === 1);
});

test("an unreadable message is parked and listed, and the next ones are taken", async () => {
  const dhcp = simulatedService();
  const { say, send, tell, telling, up, report, end } = hostScene(dhcp.definition);
  const host = up();
  await until(() => dhcp.seen.runs === 1);
  await send({ on: true });
  await tell({ ...telling.digest({ state: [], clock: 0 }), trigger: 2 } as never);
  await tell({ kind: "rows", trigger: 1 } as never);
  await say([["k", row("a", "10.0.0.1")]]);
  await until(() => report().stored?.seq === 1);
  assert.equal(report().parkedCount, 3);
  assert.match(
    report()
      .parked.map(({ why }) => why)
      .join("; "),
    /plain message.*protocol version 2.*not a message/,
  );
  await host.down();
  end();
});

test("a daemon that hangs delays other services' queues by ten seconds at most", async () => {
  const dhcp = simulatedService();
  const world = hostScene(dhcp.definition);
  await world.say([["k", row("a", "10.0.0.1")]]);
  const first = world.up();
  await until(() => dhcp.served.size === 1);
  await first.down();
  dhcp.controls.before = () => new Promise<void>(() => {});
  const dns = simulatedService();
  const stop = new AbortController();
  const hub = memoryHub();
  const running = runHost({
    ...world,
    name: "a",
    services: new Map([
      ["dhcp", dhcp.definition],
      ["dns", dns.definition],
    ]),
    codes: new Map(),
    signal: stop.signal,
    log: () => {},
    connect: async () => hub.connect(),
  });
  const listens = (service: string): Promise<boolean> =>
    hub
      .connect()
      .consume(queueName("a", service), () => {}, { prefetch: 1 })
      .then(
        () => true,
        () => false, // its queue was never declared
      );
  await world.clock.advance(9_999);
  assert.equal(await listens("dns"), false);
  await world.clock.advance(1);
  await until(() => listens("dns"));
  assert.equal(await listens("dhcp"), false);
  stop.abort();
  await running;
  world.end();
});
