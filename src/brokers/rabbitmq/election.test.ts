import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { type TcpProxy, tcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/until.ts";
import { systemClock } from "../../daemon/clock.ts";
import { rabbitBroker } from "./broker.ts";

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

interface Stander {
  readonly proxy: TcpProxy;
  readonly active: boolean;
}

/** A candidate behind a cable of its own. */
async function stander(t: TestContext, election: string, heartbeat: number): Promise<Stander> {
  const proxy = await tcpProxy(server.port);
  const url = server.url.replace(`:${server.port}`, `:${proxy.port}`);
  const broker = await rabbitBroker({ url, heartbeat, log: () => {}, clock: systemClock });
  let active = false;
  await broker.stand(election, (now) => {
    active = now;
  });
  t.after(async () => {
    await broker.close();
    await proxy[Symbol.asyncDispose]();
  });
  return {
    proxy,
    get active() {
      return active;
    },
  };
}

test("when the connection of the active candidate breaks, another one takes over within seconds", async (t) => {
  const first = await stander(t, "broken", 5);
  await until(() => first.active);
  const second = await stander(t, "broken", 5);
  const start = performance.now();
  first.proxy.cut();
  await until(() => second.active, { within: 15_000 });
  t.diagnostic(`taken over ${Math.round(performance.now() - start)} ms after the reset`);
  await until(() => !first.active);
});

for (const heartbeat of [1, 3]) {
  test(`when the active candidate falls silent, another one takes over; heartbeat ${heartbeat} s`, async (t) => {
    const first = await stander(t, `silent-${heartbeat}`, heartbeat);
    await until(() => first.active);
    const second = await stander(t, `silent-${heartbeat}`, heartbeat);
    const start = performance.now();
    first.proxy.pause();
    await until(() => !first.active, { within: 8_000 });
    const stopped = performance.now() - start;
    await until(() => second.active, { within: 30_000 });
    t.diagnostic(
      `heartbeat ${heartbeat} s: silent at 0, active no more at ${Math.round(stopped)} ms, taken over at ${Math.round(performance.now() - start)} ms`,
    );
    first.proxy.resume();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.deepEqual([first.active, second.active], [false, true]);
  });
}
