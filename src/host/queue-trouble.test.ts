import { test } from "node:test";
import { hostScene, row, simulatedService } from "../../test/fixtures/host.ts";
import { until } from "../../test/until.ts";
import type { Delivery } from "../ports/broker.ts";
import { runHost } from "./host.ts";

test("a queue that a host may not read is named in its report", async () => {
  const dhcp = simulatedService();
  const { clock, hub, store, machineOf, say, logged, end } = hostScene(dhcp.definition);
  await say([["k", row("a", "10.0.0.1")]]);
  let refusing = true;
  const connection = hub.connect();
  const stop = new AbortController();
  const running = runHost({
    ...{ name: "a", services: new Map([["dhcp", dhcp.definition]]), codes: new Map(), store, machineOf, clock },
    signal: stop.signal,
    connect: async () => ({
      ...connection,
      async consume(queue, take, options) {
        if (refusing) throw new Error(`no right to read queue ${queue}`);
        return connection.consume(queue, take, options);
      },
    }),
    log: (line) => void logged.push(line),
  });
  const reports: { trouble?: string }[] = [];
  const civet = hub.connect();
  await civet.declare([
    { name: "seen", keys: ["trigger.report"], limit: { messages: 99, bytes: 1e6, beyond: "drop" } },
  ]);
  const note = ({ body, ack }: Delivery): void => {
    reports.push(JSON.parse(new TextDecoder().decode(body)));
    ack();
  };
  await civet.consume("seen", note, { prefetch: 9 });
  const both = "no right to read queue trigger-a-control; no right to read queue trigger-a-dhcp";
  await until(() => clock.advance(1000).then(() => store.life().trouble === both));
  await until(() => clock.advance(60_000).then(() => reports.some(({ trouble }) => trouble === both)));
  refusing = false;
  await until(() => clock.advance(1000).then(() => dhcp.served.size === 1));
  await until(() => clock.advance(1000).then(() => store.life().trouble === undefined));
  stop.abort(new Error("down"));
  await running;
  end();
});
