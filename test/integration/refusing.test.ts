import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, type TestContext, test } from "node:test";
import { connect } from "amqplib";
import { ldif, makeProject } from "../project.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { machines } from "./machines.fixture.ts";

// Over a real RabbitMQ: the queue of one host refuses what is told to all.

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

const hosts = { civet: ["event"], box: ["names"], far: ["names"] };
const queue = "trigger-far-names";

async function scene(t: TestContext) {
  const vhost = t.name.replaceAll(/[^a-z]+/gi, "-").slice(0, 60);
  await server.ctl("add_vhost", vhost);
  await server.ctl("set_permissions", "-p", vhost, "trigger", ".*", ".*", ".*");
  const url = `${server.url}/${vhost}`;
  const config = { broker: { url }, directory: { ldif: "directory.ldif" }, hosts };
  const project = makeProject(t, {
    files: { "trigger.config.ts": `export default ${JSON.stringify(config)};\n` },
  });
  const { start, process, said } = machines(() => project);
  let changes = 0;
  const change = (): string => {
    changes += 1;
    writeFileSync(project.path("directory.ldif"), ldif([{ name: `m${changes}`, ip: `10.0.0.${changes}` }]));
    return `m${changes} 10.0.0.${changes}`;
  };
  const serves = (host: string, line: string): boolean => (project.read(`out/${host}/names`) ?? "").includes(line);
  change();
  return { vhost, url, project, start, process, said, change, serves };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** Three changes reach box one after the other, each long before a digest could repair it; the refusing queue is named. */
async function reachesTheOther(t: TestContext, { change, serves, project, said }: Scene): Promise<void> {
  const took: number[] = [];
  for (let round = 0; round < 3; round++) {
    const line = change();
    const since = performance.now();
    await until(() => serves("box", line), { within: 20_000 }).catch((error) => {
      throw new Error(`${error.message}\n${said()}`);
    });
    took.push(Math.round(performance.now() - since));
  }
  t.diagnostic(`three changes served after ${took.join(", ")} ms`);
  const status = async (): Promise<string> => (await project.trigger(["status"])).out;
  await until(async () => /^civet .*active; 1 queue refuses$/m.test(await status()), { within: 20_000 });
  const out = await status();
  assert.match(
    out,
    new RegExp(`^civet: queue ${queue} refuses messages, so far gets no changes: .*delete_queue ${queue}`, "m"),
  );
}

test("an administrator's policy on one host's queue delays no other host", { timeout: 180_000 }, async (t) => {
  const world = await scene(t);
  for (const host of Object.keys(hosts)) world.start(host);
  await until(() => ["box", "far"].every((host) => world.serves(host, "m1 10.0.0.1")), { within: 60_000 });
  await world.process("far").end("SIGKILL"); // what lies in its queue fills it
  const policy = JSON.stringify({ "max-length": 1, overflow: "reject-publish" });
  await server.ctl("set_policy", "-p", world.vhost, "tight", `^${queue}$`, policy, "--apply-to", "queues");
  for (let round = 0; round < 4; round++) {
    const line = world.change();
    await until(() => world.serves("box", line), { within: 60_000 });
  }
  await reachesTheOther(t, world);
  await server.ctl("clear_policy", "-p", world.vhost, "tight");
  world.start("far");
  const line = world.change();
  await until(() => world.serves("box", line) && world.serves("far", line), { within: 120_000 });
});

test("a queue declared by its host as refusing delays no other host", { timeout: 180_000 }, async (t) => {
  const world = await scene(t);
  const connection = await connect(world.url);
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange("trigger", "topic", { durable: true });
  const args = { "x-queue-type": "classic", "x-max-length": 1, "x-overflow": "reject-publish" };
  await channel.assertQueue(queue, { durable: true, arguments: args });
  for (const key of ["trigger.names", "trigger.names.far"]) await channel.bindQueue(queue, "trigger", key);
  channel.sendToQueue(queue, Buffer.from("{}"));
  await channel.waitForConfirms();
  for (const host of ["civet", "box"]) world.start(host);
  await until(() => world.serves("box", "m1 10.0.0.1"), { within: 60_000 });
  await reachesTheOther(t, world);
  await channel.deleteQueue(queue);
  await connection.close();
  world.start("far");
  const line = world.change();
  await until(() => world.serves("far", line), { within: 120_000 });
});
