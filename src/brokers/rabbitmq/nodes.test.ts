import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../../test/servers/port.ts";
import { startRabbit } from "../../../test/servers/rabbitmq.ts";
import { silentProxy } from "../../../test/servers/silent-proxy.ts";
import { tcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/until.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { Clock } from "../../ports/clock.ts";
import { rabbitBroker } from "./broker.ts";

test("a lost or silent node is replaced by the next, logged once", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRabbit());
  const [one, two] = [stack.use(await tcpProxy(server.port)), stack.use(await tcpProxy(server.port))];
  const dead = await freePort();
  const at = (port: number): string => server.url.replace(`:${server.port}`, `:${port}`);
  const said: string[] = [];
  const broker = await rabbitBroker({
    ...{ url: [dead, one.port, two.port].map(at), heartbeat: 1, queues: "classic", clock: systemClock },
    log: (line) => said.push(line),
  });
  stack.defer(() => broker.close());
  assert.equal(broker.trouble(), undefined, "it is connected when every node was tried");
  assert.equal(one.open, 2);

  one.pause(); // as a node that pauses
  await until(() => two.open === 2 && broker.trouble() === undefined, { within: 20_000 });
  await broker.declare([{ name: "q", keys: ["q"], limit: { messages: 9, bytes: 999, beyond: "refuse" } }]);
  await broker.publish("q", "over the second");

  await server.kill9();
  await until(() => said.some((line) => line.includes(`:${two.port} was lost`)), { within: 20_000 });
  one.resume();
  await server.restart();
  await until(() => broker.trouble() === undefined, { within: 20_000 });
  await broker.publish("q", "after all nodes were away");
  const refusals = said.filter((line) => line.includes(`:${dead} cannot be used`));
  assert.equal(refusals.length, 2, said.join("\n")); // one for each time that there was no connection
});

/** A clock that makes all waits five times as fast. */
const fast: Clock = {
  ...systemClock,
  monotonic: () => systemClock.monotonic() * 5,
  sleep: (ms, signal) => systemClock.sleep(ms / 5, signal),
};

test("a node that confirms nothing is left, and no queue is recreated", async (t) => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startRabbit());
  const [one, two] = [stack.use(await silentProxy(server.port)), stack.use(await silentProxy(server.port))];
  const at = (port: number): string => server.url.replace(`:${server.port}`, `:${port}`);
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const broker = await rabbitBroker({ url: [one.port, two.port].map(at), clock: fast, log });
  stack.defer(() => broker.close());
  await broker.declare([{ name: "q", keys: ["q"], limit: { messages: 100, bytes: 9_999, beyond: "drop" } }]);
  await broker.publish("q", "over the first");

  one.silent = true;
  const since = performance.now();
  const troubles = new Set<string>();
  const goesThrough = async (): Promise<boolean> => {
    const sending = broker.publish("q", "hello").then(
      () => true,
      () => false,
    );
    const through = await sending;
    troubles.add(broker.trouble() ?? "");
    return through;
  };
  await until(goesThrough, { within: 60_000 });
  t.diagnostic(`goes on after ${Math.round(performance.now() - since)} ms, at five times the speed`);
  const why = "confirms no published message: trying the next address";
  assert.ok(
    [...troubles].some((trouble) => trouble.includes(`:${one.port} ${why}`)),
    [...troubles].join("\n"),
  );
  assert.equal(broker.trouble(), undefined);
  assert.match(said.join("\n"), new RegExp(`:${one.port} was lost: it confirmed nothing over 3 channels, like a node`));
  assert.doesNotMatch(said.join("\n"), /deleted and declared again/);
});
