import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "amqplib";
import { commandsOf } from "../../src/brokers/rabbitmq/users.ts";
import { type BrokerUser, hostUser } from "../../src/core/config/permissions.ts";
import { confirmed, connectAs, isRefused } from "../servers/as-user.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

let server: RabbitServer;
let folder: string;
before(async () => {
  server = await startRabbit();
  folder = mkdtempSync(join(tmpdir(), "trigger-users-"));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Each run calls rabbitmqctl some ten times, which takes a second or more. */
const slow = { timeout: 290_000 };

const hosts = new Map([
  ["box", ["note"]],
  ["cat", ["note"]],
]);
const file = (name: string): string => join(folder, name);
const passwordOf = (name: string): string => readFileSync(file(`${name}.password`), "utf8").trim();
const run = (users: readonly BrokerUser[], before = ""): Promise<void> =>
  server.shell(`${before}\n${commandsOf(users, "/")}`, folder);

/** Lines that a script begins with, so that one command of rabbitmqctl fails, and all others are the real ones. */
function failing(command: string): string {
  mkdirSync(file("bin"), { recursive: true });
  writeFileSync(
    file("bin/rabbitmqctl"),
    `#!/bin/sh\nfor word; do [ "$word" != ${command} ] || exit 70; done\nPATH=\${PATH#*:}\nexec rabbitmqctl "$@"\n`,
  );
  chmodSync(file("bin/rabbitmqctl"), 0o755);
  return `PATH=${file("bin")}:$PATH`;
}

test("a failed run leaves no valid password, and the next run completes it", slow, async () => {
  const user = hostUser({ hosts }, "box");
  await assert.rejects(run([user], failing("import_definitions")));
  assert.doesNotMatch(await server.ctl("-s", "list_users"), /trigger-box/);
  for (const step of ["set_topic_permissions", "list_user_topic_permissions", "change_password"]) {
    await assert.rejects(run([user], failing(step)), step);
    assert.ok(!existsSync(file("trigger-box.password")), step);
    const rights = await server.ctl("-s", "list_user_permissions", user.name);
    if (step !== "change_password") assert.equal(rights.trim(), "", step);
    const written = readFileSync(file("trigger-box.password.new"), "utf8").trim();
    await assert.rejects(connectAs(server, { name: user.name, password: written }), /403|ACCESS.REFUSED/, step);
  }
  await run([user]);
  assert.ok(!existsSync(file("trigger-box.password.new")));
  await (await connectAs(server, { name: user.name, password: passwordOf(user.name) })).close();
});

test("an existing user keeps its password and loses rights no longer printed", async () => {
  const [user, password] = [hostUser({ hosts }, "cat"), "of-before"];
  await server.ctl("add_user", user.name, password);
  await server.ctl("set_permissions", user.name, "^(trigger-cat-note)$", "^(trigger|trigger-cat-note)$", ".*");
  const attacker = await connectAs(server, { name: user.name, password });
  await (await attacker.createChannel()).assertExchange("trigger-cat-note", "fanout");
  await attacker.close();
  await run([user]);
  assert.ok(!existsSync(file(`${user.name}.password`)));
  const { configure, write, read } = user;
  const rights = (await server.ctl("-s", "list_user_permissions", user.name)).trim();
  assert.equal(rights, ["/", configure, write, read].join("\t"));
  await isRefused(
    server,
    { name: user.name, password },
    (channel) => channel.assertExchange("trigger-cat-note", "fanout"),
    (channel) => channel.bindExchange("trigger-cat-note", "trigger", "#"),
    (channel) => confirmed(channel, () => channel.publish("trigger", "trigger.note", Buffer.from("{}"))),
  );
});

test("an exchange of another type stops the run before a user is made", async () => {
  const [name, user] = ["otherwise", hostUser({ hosts: new Map([["dog", ["note"]]]) }, "dog")];
  await server.ctl("add_vhost", name);
  await server.ctl("set_permissions", "-p", name, "trigger", ".*", ".*", ".*");
  const model = await connect(`${server.url}/${name}`);
  await (await model.createChannel()).assertExchange("trigger", "fanout");
  await model.close();
  await assert.rejects(
    server.shell(commandsOf([user], name), folder),
    /the exchange trigger is not durable and of type topic: delete it, and run this again/,
  );
  assert.doesNotMatch(await server.ctl("-s", "list_users"), /trigger-dog/);
});

test("a message delivered 30 times from a queue of RabbitMQ 3 is not dropped", async (t) => {
  await run([]);
  const model = await connect(server.url);
  t.after(() => model.close());
  const channel = await model.createChannel();
  await channel.assertQueue("trigger-old-note", { durable: true, arguments: { "x-queue-type": "quorum" } });
  channel.sendToQueue("trigger-old-note", Buffer.from("hello"), { persistent: true });
  let deliveries = 0;
  await channel.prefetch(1);
  await channel.consume("trigger-old-note", (message) => {
    deliveries += 1;
    if (message) channel.nack(message);
  });
  await until(() => deliveries >= 30);
});

test("a policy suits the version, grows with it, and is never a foreign one", slow, async () => {
  const policy = async (): Promise<string | undefined> =>
    (await server.ctl("-s", "list_policies")).match(/\ttrigger\t.*\t(\{.*\})\t/)?.[1];
  const set = (definition: string): Promise<string> =>
    server.ctl("set_policy", "--apply-to", "quorum_queues", "trigger", "^trigger[-.]", definition);
  const [major = 0, minor = 0] = (await server.ctl("version")).trim().split(".").map(Number);
  const isQuick = major > 4 || (major === 4 && minor >= 3);
  const endless = { "delivery-limit": -1 };
  const wanted = isQuick ? { ...endless, "consumer-disconnected-timeout": 1000 } : major === 4 ? endless : undefined;
  await server.ctl("clear_policy", "trigger").catch(() => {}); // there is none under RabbitMQ 3
  await run([]);
  const found = await policy();
  assert.deepEqual(found && JSON.parse(found), wanted);
  if (!wanted) return;
  await set(JSON.stringify(endless));
  await run([]);
  assert.deepEqual(JSON.parse((await policy()) ?? ""), wanted);
  const other = '{"delivery-limit":50}';
  await set(other);
  await run([]);
  assert.equal(await policy(), other);
});

test("users and queues have limits, and those of an administrator stay", slow, async () => {
  const user = hostUser({ hosts: new Map([["fox", ["note"]]]) }, "fox");
  const limits = async (): Promise<unknown> =>
    JSON.parse(await server.ctl("-s", "list_user_limits", "--user", user.name));
  const ofQueues = async (): Promise<string> => server.ctl("-s", "list_operator_policies");
  await run([user]);
  assert.deepEqual(await limits(), { "max-connections": 50, "max-channels": 1_000 });
  assert.match(await ofQueues(), /\ttrigger\t\^trigger\[-\.\]\t.*\{.*"max-length":10000.*\}/);
  // A queue that was declared without limits drops what exceeds them.
  const model = await connect(server.url);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue("trigger-fox-note", { durable: true });
  const body = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < 80; sent++) channel.sendToQueue("trigger-fox-note", body);
  await channel.waitForConfirms();
  assert.ok((await channel.checkQueue("trigger-fox-note")).messageCount <= 64);
  await model.close();
  await server.ctl("set_user_limits", user.name, '{"max-connections":0}');
  await server.ctl("set_operator_policy", "--apply-to", "queues", "trigger", "^trigger[-.]", '{"max-length":77}');
  await run([user]);
  assert.deepEqual(await limits(), { "max-connections": 0, "max-channels": 1_000 });
  assert.match(await ofQueues(), /"max-length":77/);
});
