import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Channel, connect } from "amqplib";
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
  state: process.env.STATE ?? ".trigger",
  hosts: ${JSON.stringify(hosts)},
});\n`;
  return makeProject(t, { files: { "trigger.config.ts": config } });
}

test("the printed users permit all work of hosts, and no more", {
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
  const password = project.read("alarm.password");
  await server.shell(printed[1] ?? "", project.folder); // a second time it changes nothing
  assert.equal(project.read("alarm.password"), password);

  const as = (user: string, words: readonly string[], env: Record<string, string> = {}) =>
    project.spawn(words, { env: { ...process.env, BROKER_USER: user, ...env } });
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

  // A machine without the hosts' state has no sockets of them: an order from there takes the broker.
  const elsewhere = (user: string, words: string[]) => as(user, words, { STATE: "elsewhere" }).ended;
  const held = await elsewhere("trigger-civet", ["hold", "note", "for a moment"]);
  assert.equal(held.code, 1, held.err);
  assert.match(held.out, /^box: unheard: no transcriber is here, .*: `trigger audit` on civet has it\n$/);
  await until(() => said().includes("note: asked to hold by "));
  assert.equal((await as("trigger-civet", ["approve", "note"]).ended).code, 0);
  const notAllowed = await elsewhere("trigger-box", ["hold", "names"]);
  assert.equal(notAllowed.code, 2, notAllowed.out);
  assert.match(notAllowed.out, /^box: unreached: .*ACCESS_REFUSED.*; give it on civet, or on the host itself$/m);
  assert.ok(!said().includes("names: asked to hold"), said());

  const administrator = await connect(server.url);
  await (await administrator.createChannel()).assertExchange("trigger-box-note", "fanout");
  const version = Number.parseInt(administrator.connection.serverProperties.version ?? "", 10);
  await administrator.close();
  const userOf = (name: string) => ({ name, password: project.read(`${name}.password`)?.trim() ?? "" });
  type Attempt = (channel: Channel) => Promise<unknown>;
  const refused = (name: string, ...attempts: Attempt[]) => isRefused(server, userOf(name), ...attempts);
  const publish =
    (key: string, exchange = "trigger") =>
    (channel: Channel) =>
      confirmed(channel, () => channel.publish(exchange, key, Buffer.from("{}")));
  const keys = ["trigger.names", "trigger.names.box-names", "trigger.note", "trigger.event", "trigger.report.civet"];
  const orders = ["trigger.control", "trigger.control.box"].map((key) => publish(key));
  for (const user of ["trigger-box", "alarm", "binding"]) await refused(user, ...orders);
  await refused("trigger-box", ...keys.map((key) => publish(key)));
  await refused("trigger-box", ...["trigger-box-names-names", "trigger-box-note"].map((queue) => publish(queue, "")));
  for (const queue of [
    "trigger-box-names-names",
    "trigger-box-names-control",
    "trigger-civet-report",
    "trigger.ticks.event",
  ]) {
    await refused(
      "trigger-box",
      (channel) => channel.get(queue),
      (channel) => channel.consume(queue, () => {}),
      (channel) => channel.purgeQueue(queue),
    );
  }
  for (const user of ["trigger-box", "alarm", "binding"]) await refused(user, ...makings(publish));
  await refused("alarm", publish("trigger.names"), (channel) => channel.get("trigger-box-note"));
  await refused("binding", publish("trigger.note"));
  await refused("trigger-civet", (channel) => channel.get("trigger-box-note"));

  // Before version 4 the server accepts further keys in a header: then the reader of the message drops it.
  const box = await connectAs(server, userOf("trigger-box"));
  const forger = await box.createConfirmChannel();
  const before = project.read("out/box/notes");
  for (const header of ["CC", "BCC"]) {
    const headers = { [header]: ["trigger.names", "trigger.note", "trigger.ticks.event"] };
    const publishMore = (channel: Channel) =>
      channel.publish("trigger", "trigger.report", Buffer.from('{"n": 66}'), { headers });
    if (version >= 4) await refused("trigger-box", (channel) => confirmed(channel, publishMore));
    else publishMore(forger);
  }
  if (version < 4) {
    await forger.waitForConfirms();
    await until(() =>
      /queue trigger-box-note: a message is dropped: it was published as "trigger.report"/.test(said()),
    );
    await until(() => /queue trigger-box-names-names: a message is dropped/.test(said()));
  }
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
    said().includes(
      "claims to be from box-names, but was sent by the broker user trigger-box: expected trigger-box-names",
    ),
  );
  await until(() => said().includes("claims to be from box-names, but was sent without the name of its broker user"));

  const civet = await connectAs(server, userOf("trigger-civet"));
  await (await civet.createChannel()).assertQueue("trigger-gone-names");
  await civet.close();
  const forgotten = await as("trigger-civet", ["forget", "gone"]).ended;
  assert.match(forgotten.out, /removed the queue trigger-gone-names\n.*rabbitmqctl delete_user trigger-gone/s);

  // What a host could declare before: its queue with dead letters for all others.
  await running[1]?.end("SIGTERM");
  await box.close();
  await server.ctl("set_permissions", "trigger-box", "^trigger-box-note$", ".*", ".*");
  await server.ctl("set_topic_permissions", "trigger-box", "trigger", ".*", ".*");
  const owner = await connectAs(server, userOf("trigger-box"));
  const channel = await owner.createChannel();
  await channel.deleteQueue("trigger-box-note");
  const deadLetters = { messageTtl: 1, deadLetterExchange: "trigger", deadLetterRoutingKey: "trigger.names" };
  await channel.assertQueue("trigger-box-note", deadLetters);
  await channel.bindQueue("trigger-box-note", "trigger", "trigger.note");
  assert.equal((await as("alarm", ["send", "note", '{"n": 9}']).ended).code, 0);
  await until(() => said().includes("a message is dropped: it is a dead letter of another queue"));
  await owner.close();
});

/**
 * All ways in which a user could make something. The owner of a queue sets its limits,
 * and an exchange of one's own carries any key to all others.
 */
function makings(publish: (key: string, exchange: string) => (channel: Channel) => Promise<unknown>) {
  const quorum = { "x-queue-type": "quorum" };
  const queues = [
    { durable: true, arguments: quorum },
    { durable: true, maxLength: 1, arguments: { ...quorum, "x-overflow": "reject-publish" } },
    { messageTtl: 1, deadLetterExchange: "trigger", deadLetterRoutingKey: "trigger.names" },
  ];
  const own = "trigger-box-note";
  return [
    ...queues.flatMap((options) =>
      [own, "trigger-box-names-names", "another"].map(
        (queue) => (channel: Channel) => channel.assertQueue(queue, options),
      ),
    ),
    (channel: Channel) => channel.assertQueue(),
    ...["fanout", "topic"].flatMap((type) =>
      [own, "trigger-box-names", "another"].map((name) => (channel: Channel) => channel.assertExchange(name, type)),
    ),
    (channel: Channel) => channel.deleteQueue(own),
    (channel: Channel) => channel.deleteExchange("trigger"),
    (channel: Channel) => channel.unbindQueue(own, "trigger", "trigger.note"),
    ...["trigger.note", "trigger.note.box", "trigger.#", "more"].map(
      (key) => (channel: Channel) => channel.bindQueue(own, "trigger", key),
    ),
    // Also where there is such an exchange, made with the wider rights of before.
    (channel: Channel) => channel.bindExchange(own, "trigger", "#"),
    publish("trigger.names", own),
  ];
}
