import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject } from "../project.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";

test("orders are answered host by host, also without the broker, and listed", { timeout: 180_000 }, async (t) => {
  await using server = await startRabbit();
  const hosts = { civet: ["event"], box: ["names"], lynx: ["names"] };
  const config = configText({ broker: { url: server.url }, directory: { ldif: "directory.ldif" }, hosts });
  const files = { "trigger.config.ts": config };
  const folders = new Map(Object.keys(hosts).map((host) => [host, makeProject(t, { files })]));
  const world = machines((host) => folders.get(host) ?? assert.fail(host));
  for (const host of Object.keys(hosts)) world.start(host);
  await until(async () => (await world.trigger("civet", ["status"])).code === 0, { within: 60_000 });

  const held = await world.trigger("civet", ["hold", "names", "the switch is being replaced"]);
  const writesNothing = "done: it writes nothing until `trigger approve names`";
  assert.deepEqual([held.code, held.out], [0, `box: ${writesNothing}\nlynx: ${writesNothing}\n`]);
  const wrong = await world.trigger("civet", ["approve", "names", "00000000", "--host", "box"]);
  assert.deepEqual([wrong.code, wrong.out], [1, "box: refused: nothing waits under 00000000\n"]);

  await world.end("lynx", "SIGTERM");
  const absent = await world.trigger("civet", ["approve", "names"]);
  assert.equal(absent.code, 1);
  assert.match(
    absent.out,
    /^box: done: it goes on\nlynx: absent: no answer within 10 s: .*the order lapses after 30 s\n$/,
  );

  await server.stop();
  const locally = await world.trigger("box", ["hold", "names", "--host", "box"]);
  assert.deepEqual([locally.code, locally.out], [0, `box: ${writesNothing}\n`]);
  const { code, out } = await world.trigger("box", ["hold", "names"]);
  assert.equal(code, 1);
  assert.match(out, /^box: done: .*\nlynx: unreached: .*; give it on civet, or on the host itself\n$/);

  await server.restart();
  const audit = async (host: string, ...words: string[]) => (await world.trigger(host, ["audit", ...words])).out;
  const socketOrders = async () => (await audit("civet")).split("(socket)").length - 1;
  await until(async () => (await socketOrders()) === 2, { within: 60_000 });
  const listed = (await audit("civet")).split("\n").map((line) => line.split(/ {2,}/).slice(2).join(" "));
  assert.deepEqual(listed.slice(1, -1).toReversed(), [
    `box names hold "the switch is being replaced" ${writesNothing}`,
    `lynx names hold "the switch is being replaced" ${writesNothing}`,
    "box names approve 00000000 refused: nothing waits under 00000000",
    "box names approve done: it goes on",
    "lynx names approve none",
    `box names hold ${writesNothing}`,
    `box names hold ${writesNothing}`,
  ]);
  const [newest] = JSON.parse(await audit("box", "names", "--last", "1", "--json"));
  assert.deepEqual([newest.host, newest.order, newest.way, newest.outcome.done], ["box", "hold", "socket", true]);
  assert.equal((await audit("lynx", "--host", "box")).trim(), "no order is known here");
});
