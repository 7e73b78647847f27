import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { other, type Pair, patience, settled, startPair, transcribers } from "./pair.fixture.ts";

// Over a real RabbitMQ: the other transcriber takes over after any fault of the active one.

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

async function pairOn(t: TestContext, { heartbeat = 5 } = {}): Promise<Pair> {
  const vhost = t.name.replaceAll(/[^a-z]+/gi, "-");
  await server.ctl("add_vhost", vhost);
  await server.ctl("set_permissions", "-p", vhost, "trigger", ".*", ".*", ".*");
  const url = JSON.stringify(`${server.url}/${vhost}`);
  return startPair(t, { broker: `{ url: ${url}, heartbeat: ${heartbeat} }` });
}

test("after each kill of the active transcriber the other takes over, losing no change", {
  timeout: 180_000,
}, async (t) => {
  const world = await pairOn(t);
  let active = await settled(world);
  for (let round = 0; round < 3; round++) {
    const next = other(active);
    const epoch = await world.epochOf(active);
    for (let edits = 0; edits < 5; edits++) world.edit.add();
    await world.process(active).end("SIGKILL");
    const since = performance.now();
    world.edit.add(); // while no transcriber is active
    await until(async () => (await world.active()).includes(next), { within: patience });
    const takenOver = Math.round(performance.now() - since);
    await until(world.edit.isServed, { within: patience });
    const served = Math.round(performance.now() - since);
    t.diagnostic(
      `kill -9: another one active after ${takenOver} ms, the edit made meanwhile served after ${served} ms`,
    );
    assert.ok((await world.epochOf(next)) > epoch);
    const { out, code } = await world.project.trigger(["status"]);
    assert.match(out, new RegExp(`^${active} .*down: its process is not running$`, "m"));
    assert.match(out, new RegExp(`^${next} .* active$`, "m"));
    assert.equal(code, 2);

    world.start(active);
    const isStandby = new RegExp(`^${active} .*standby$`, "m");
    await until(async () => isStandby.test((await world.project.trigger(["status"])).out), { within: patience });
    world.edit.add();
    await world.equalWith(next);
    active = next;
  }
});

for (const heartbeat of [1, 5]) {
  test(`a transcriber that pauses is replaced, and reverts nothing once awake; heartbeat ${heartbeat} s`, {
    timeout: 180_000,
  }, async (t) => {
    const world = await pairOn(t, { heartbeat });
    const first = await settled(world);
    const second = other(first);
    const epoch = await world.epochOf(first);
    world.process(first).child.kill("SIGSTOP");
    const since = performance.now();
    world.edit.add(); // the one that stands still learns of it late
    await until(async () => (await world.active()).includes(second), { within: patience });
    const takenOver = Math.round(performance.now() - since);
    t.diagnostic(`SIGSTOP, heartbeat ${heartbeat} s: another one active after ${takenOver} ms`);
    assert.ok((await world.epochOf(second)) > epoch);
    await until(world.edit.isServed, { within: patience });

    // The last word of the one that stands still is that it is active: both say so, until it wakes.
    assert.deepEqual((await world.active()).sort(), [...transcribers].sort());
    world.edit.add();
    world.process(first).child.kill("SIGCONT");
    world.edit.add();
    await until(async () => (await world.active()).length === 1, { within: patience });
    const [now = ""] = await world.active();
    await world.equalWith(now);
    world.edit.add();
    await world.equalWith(now);
  });
}
