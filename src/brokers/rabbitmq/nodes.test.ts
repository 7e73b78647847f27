import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../../test/servers/port.ts";
import { startRabbit } from "../../../test/servers/rabbitmq.ts";
import { tcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/until.ts";
import { systemClock } from "../../daemon/clock.ts";
import { rabbitBroker } from "./broker.ts";

test("of several nodes the next one is used when one is lost or does not answer, which is said once", async () => {
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

  one.pause(); // as a node does that stands still
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
