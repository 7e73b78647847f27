import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Channel } from "amqplib";
import { laptop, ldif, makeProject, printer, type TestProject } from "../project.ts";
import { confirmed, connectAs, isRefused } from "../servers/as-user.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

const hosts = { civet: ["event"], box: ["names", "note"], "box-names": ["names"] };

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
  timeout: 290_000, // some twenty calls of rabbitmqctl, of a second or more each
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

  const notAllowed = await as("trigger-box", ["hold", "names"]).ended;
  assert.equal(notAllowed.code, 2, notAllowed.out);
  assert.match(notAllowed.err, /^trigger hold: .*ACCESS_REFUSED.* a transcriber's host.*\n$/);

  const userOf = (name: string) => ({ name, password: project.read(`${name}.password`)?.trim() ?? "" });
  const refused = (name: string, attempt: (channel: Channel) => Promise<unknown>) =>
    isRefused(server, userOf(name), attempt);
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
  const box = await connectAs(server, userOf("trigger-box"));
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

  // A report in another host's name: with that host's user the server refuses it, with the own one or none the transcriber does.
  const other = await box.createChannel();
  other.on("error", () => {});
  const forged = (host: string) =>
    Buffer.from(JSON.stringify({ trigger: 1, kind: "report", host, at: 1, services: {} }));
  const inItsName = { userId: "trigger-box-names" };
  await assert.rejects(
    confirmed(other, (channel) => channel.publish("trigger", "trigger.report", forged("box-names"), inItsName)),
    /PRECONDITION.FAILED.*user_id/,
  );
  for (const properties of [{ userId: "trigger-box" }, {}]) {
    forger.publish("trigger", "trigger.report", forged("box-names"), properties);
  }
  await forger.waitForConfirms();
  await until(() =>
    said().includes("speaks for box-names, and was sent by the broker user trigger-box: expected trigger-box-names"),
  );
  await until(() => said().includes("speaks for box-names, and was sent without the name of its broker user"));

  const civet = await connectAs(server, userOf("trigger-civet"));
  await (await civet.createChannel()).assertQueue("trigger-gone-names");
  await civet.close();
  const forgotten = await as("trigger-civet", ["forget", "gone"]).ended;
  assert.match(forgotten.out, /removed the queue trigger-gone-names\n.*rabbitmqctl delete_user trigger-gone/s);

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
