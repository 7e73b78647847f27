import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Channel, connect } from "amqplib";
import { laptop, ldif, makeProject, printer, type TestProject } from "../project.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

const hosts = { civet: ["event"], box: ["names", "note"], "box-names": ["names"] };
const users = ["trigger-civet", "trigger-box", "trigger-box-names", "alarm", "binding"];

/** A project whose broker user is named by the environment, as on several machines it is by the machine. */
function projectAt(t: TestContext, { port }: RabbitServer): TestProject {
  const config = `import { defineConfig } from "trigger";
const user = process.env.BROKER_USER ?? "nobody";
export default defineConfig({
  broker: { url: \`amqp://\${user}@127.0.0.1:${port}\`, passwordFile: \`\${user}.password\` },
  directory: { ldif: "directory.ldif" },
  hosts: ${JSON.stringify(hosts)},
});\n`;
  return makeProject(t, { files: { "trigger.config.ts": config } });
}

test("with the users that are printed hosts do all their work, and what is not theirs is refused", {
  timeout: 180_000,
}, async (t) => {
  await using server = await startRabbit();
  const project = projectAt(t, server);
  const printed: string[] = [];
  for (const words of [[], ["--sender", "alarm", "--to", "note"], ["--sender", "binding", "--to", "event"]]) {
    const { code, out, err } = await project.trigger(["permissions", ...words]);
    assert.equal(code, 0, err);
    printed.push(out);
  }
  await server.shell(printed.join("\n"), project.folder);
  await server.shell(printed[1] ?? "", project.folder); // a second time it changes nothing

  const as = (user: string, words: readonly string[]) =>
    project.spawn(words, { env: { ...process.env, BROKER_USER: user } });
  const running = Object.keys(hosts).map((host) => as(`trigger-${host}`, ["up", "--host", host]));
  const said = (): string => running.map((one) => one.said()).join("");
  const served = (host: string, text: string) =>
    until(() => project.read(`out/${host}/names`)?.trim().split("\n").sort().join(" ") === text, { within: 30_000 });
  for (const host of ["box", "box-names"]) await served(host, "laptop 192.0.2.11 printer 192.0.2.10");
  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.12" }]));
  for (const host of ["box", "box-names"]) await served(host, "laptop 192.0.2.12 printer 192.0.2.10");

  const sent = await as("alarm", ["send", "note", '{"n": 7}']).ended;
  assert.equal(sent.code, 0, sent.err);
  await until(() => project.read("out/box/notes") === "7\n");
  const event = JSON.stringify(["1", { entryDN: ["cn=a"] }, null, { who: "me", why: "gone" }]);
  assert.equal((await as("binding", ["send", "event", event]).ended).code, 0);
  const ordered = await as("trigger-civet", ["verify"]).ended; // asks every host, and hears from each
  assert.equal(ordered.code, 0, `${ordered.out}${ordered.err}${said()}`);
  assert.ok(!/refused for user|ACCESS_REFUSED|not declared/.test(said()), said());

  const refused = (user: string, attempt: (channel: Channel) => Promise<unknown>) =>
    isRefused(server, project, user, attempt);
  const publish =
    (key: string, exchange = "trigger") =>
    (channel: Channel) =>
      confirmed(channel, () => channel.publish(exchange, key, Buffer.from("{}")));
  for (const key of ["trigger.names", "trigger.names.box-names", "trigger.note", "trigger.event"]) {
    await refused("trigger-box", publish(key));
  }
  await refused("trigger-box", publish("trigger-box-names-names", ""));
  await refused("trigger-box", (channel) => channel.get("trigger-box-names-names"));
  await refused("trigger-box", (channel) => channel.consume("trigger-box-names-names", () => {}));
  await refused("trigger-box", (channel) => channel.purgeQueue("trigger-box-names-names"));
  await refused("trigger-box", (channel) => channel.deleteQueue("trigger-box-names-names"));
  await refused("trigger-box", (channel) => channel.consume("trigger-civet-report", () => {}));
  await refused("trigger-box", (channel) => channel.consume("trigger.ticks.event", () => {}));
  await refused("trigger-box-names", (channel) =>
    channel.bindQueue("trigger-box-names-names", "trigger", "trigger.note"),
  );
  await refused("trigger-box-names", (channel) => channel.bindQueue("trigger-box-names-names", "trigger", "trigger.#"));
  await refused("trigger-box", (channel) => channel.assertQueue("another"));
  await refused("trigger-box", (channel) => channel.deleteExchange("trigger"));
  await refused("alarm", publish("trigger.names"));
  await refused("alarm", (channel) => channel.get("trigger-box-note"));
  await refused("binding", publish("trigger.note"));
  await refused("trigger-civet", (channel) => channel.get("trigger-box-note"));

  // What the server lets through all the same: further keys in a header, and a queue of one's own that hands on its dead letters.
  const box = await connectAs(server, project, "trigger-box");
  const forger = await box.createConfirmChannel();
  const before = project.read("out/box/notes");
  for (const header of ["CC", "BCC"]) {
    const headers = { [header]: ["trigger.names", "trigger.note", "trigger.ticks.event"] };
    forger.publish("trigger", "trigger.report", Buffer.from('{"n": 66}'), { headers });
  }
  await forger.waitForConfirms();
  await until(() => /queue trigger-box-note: a message is dropped: it was published as "trigger.report"/.test(said()));
  await until(() => /queue trigger-box-names-names: a message is dropped/.test(said()));
  assert.equal((await as("alarm", ["send", "note", '{"n": 8}']).ended).code, 0);
  await until(() => project.read("out/box/notes") !== before);
  assert.equal(project.read("out/box/notes"), "7\n8\n");

  await running[1]?.end("SIGTERM");
  const owner = await box.createChannel();
  await owner.deleteQueue("trigger-box-note");
  const deadLetters = { messageTtl: 1, deadLetterExchange: "trigger", deadLetterRoutingKey: "trigger.names" };
  await owner.assertQueue("trigger-box-note", deadLetters);
  await owner.bindQueue("trigger-box-note", "trigger", "trigger.note");
  assert.equal((await as("alarm", ["send", "note", '{"n": 9}']).ended).code, 0);
  await until(() => said().includes("a message is dropped: it is a dead letter of another queue"));
  await box.close();
});

/** Says that the server refuses what a user attempts, for want of a right and for no other reason. */
async function isRefused(
  server: RabbitServer,
  project: TestProject,
  user: string,
  attempt: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  const model = await connectAs(server, project, user);
  try {
    const channel = await model.createChannel();
    channel.on("error", () => {});
    await assert.rejects(attempt(channel), /ACCESS.REFUSED/, `${user}: ${attempt}`);
  } finally {
    await model.close();
  }
}

async function connectAs({ port }: RabbitServer, project: TestProject, user: string) {
  assert.ok(users.includes(user));
  const password = project.read(`${user}.password`)?.trim();
  const model = await connect(`amqp://${user}:${password}@127.0.0.1:${port}`);
  model.on("error", () => {});
  return model;
}

/** Waits for the server's answer to what has none of its own: a refusal closes the channel before the next call is answered. */
async function confirmed(channel: Channel, act: () => unknown): Promise<void> {
  const refusal = new Promise<never>((_, reject) => channel.once("error", reject));
  act();
  await Promise.race([refusal, channel.checkExchange("trigger").then(() => {})]).catch(async (error) => {
    throw await Promise.race([refusal, Promise.resolve(error)]).catch((cause) => cause);
  });
}
