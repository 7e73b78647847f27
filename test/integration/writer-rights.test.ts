import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Channel } from "amqplib";
import { laptop, makeProject, record, type TestProject } from "../project.ts";
import { confirmed, connectAs, isRefused } from "../servers/as-user.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { baseLdif, type Slapd, startSlapd } from "../servers/slapd.ts";
import { until } from "../until.ts";

const hosts = { civet: ["event"], box: ["names"] };

/** A project on a directory of slapd, whose broker user is named by the environment. */
function projectAt(t: TestContext, { port }: RabbitServer, slapd: Slapd): TestProject {
  const { url, base, adminDn: bindDn, password } = slapd;
  const config = `import { defineConfig } from "trigger";
const user = process.env.BROKER_USER ?? "nobody";
export default defineConfig({
  broker: { url: \`amqp://\${user}@127.0.0.1:${port}\`, passwordFile: \`\${user}.password\` },
  directory: ${JSON.stringify({ url, base, bindDn, passwordFile: "ldap.password" })},
  hosts: ${JSON.stringify(hosts)},
});\n`;
  return makeProject(t, { files: { "trigger.config.ts": config, "ldap.password": `${password}\n` } });
}

test("the printed user permits all work of modify --wait, and no more", {
  timeout: 180_000,
}, async (t) => {
  await using stack = new AsyncDisposableStack();
  const [slapd, server] = await Promise.all([startSlapd({ ldif: `${baseLdif}${record(laptop)}` }), startRabbit()]);
  stack.use(slapd);
  stack.use(server);
  const project = projectAt(t, server, slapd);
  const { code, out, err } = await project.trigger(["permissions"]);
  assert.equal(code, 0, err);
  await server.shell(out, project.folder);

  const as = (user: string, words: readonly string[]) =>
    project.spawn(words, { env: { ...process.env, BROKER_USER: user } });
  const running = Object.keys(hosts).map((host) => as(`trigger-${host}`, ["up", "--host", host]));
  const said = (): string => running.map((one) => one.said()).join("");
  await until(() => project.read("out/box/names")?.trim() === "laptop 192.0.2.11", { within: 30_000 }).catch(() => {
    assert.fail(said());
  });

  // The second change moves no row: that its host holds what the directory holds is known once a digest was asked for.
  const dn = `cn=laptop,${slapd.base}`;
  const changes = [
    ["replace: ipHostNumber", "ipHostNumber: 192.0.2.12", "a new place"],
    ["replace: description", "description: grey", "a new colour"],
  ];
  for (const [what = "", value = "", why = ""] of changes) {
    project.write("change.ldif", `dn: ${dn}\nchangetype: modify\n${what}\n${value}\n`);
    const words = ["modify", "change.ldif", "--who", "camille", "--why", why, "--wait", "--timeout", "30"];
    const made = await as("trigger.modify", words).ended;
    assert.deepEqual([made.code, made.err], [0, ""], made.out + said());
    await until(() => said().includes(`camille: ${why}`)).catch(() => assert.fail(said()));
  }
  assert.equal(project.read("out/box/names")?.trim(), "laptop 192.0.2.12");
  assert.doesNotMatch(said(), /of no use|is rejected/);

  const writer = { name: "trigger.modify", password: project.read("trigger.modify.password")?.trim() ?? "" };
  const refused = (attempt: (channel: Channel) => Promise<unknown>) => isRefused(server, writer, attempt);
  for (const key of ["trigger.names", "trigger.names.box", "trigger.ticks.event", "trigger.report.civet"]) {
    await refused((channel) => confirmed(channel, () => channel.publish("trigger", key, Buffer.from("{}"))));
  }
  await refused((channel) => confirmed(channel, () => channel.publish("", "trigger-box-names", Buffer.from("{}"))));
  for (const queue of ["trigger-civet-report", "trigger-civet-event", "trigger-box-names", "trigger.ticks.event"]) {
    await refused((channel) => channel.get(queue));
    await refused((channel) => channel.purgeQueue(queue));
    await refused((channel) => channel.deleteQueue(queue));
  }
  await refused((channel) => channel.assertQueue("another"));
  await refused((channel) => channel.assertExchange("another", "topic"));

  // It may ask in a host's name, and not report in it.
  const report = { trigger: 1, kind: "report", host: "box", at: 1, services: {} };
  const model = await connectAs(server, writer);
  const channel = await model.createChannel();
  await confirmed(channel, () => channel.publish("trigger", "trigger.report", Buffer.from(JSON.stringify(report))));
  await model.close();
  await until(() => said().includes("it claims to be from box, but was sent without the name of its broker user"));
});
