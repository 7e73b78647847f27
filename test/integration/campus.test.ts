import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { laptop, type Machine, makeProject, printer, record } from "../project.ts";
import { certificates } from "../servers/certificates.ts";
import { ldapCommands } from "../servers/ldap-commands.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { baseLdif, type Slapd, startSlapd } from "../servers/slapd.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";

/**
 * A network as its administrator runs it: three machines, a RabbitMQ and an OpenLDAP, with TLS. Each machine is a
 * folder of its own and has only the two URLs. Each part goes down once, as in the course of a year.
 */

const hosts = { civet: ["event"], box1: ["names", "note"], box2: ["names", "note"] };
const boxes = ["box1", "box2"] as const;
const brokerPassword = "s3cret-of-the-test";
const patience = { within: 40_000 };
const phone: Machine = { name: "phone", ip: "192.0.2.12" };

test("hosts on several machines follow an OpenLDAP server over RabbitMQ through kills", {
  timeout: 150_000,
}, async (t) => {
  using signed = certificates();
  const [directory, broker] = await Promise.all([
    startSlapd({ ldif: content, tls: true }),
    startRabbit({ tls: signed.sign("broker") }),
  ]);
  await using stack = new AsyncDisposableStack();
  stack.use(directory);
  stack.use(broker);
  const { base } = directory;
  const campus = network(t, configOf(directory, broker, signed.sign("trigger")), directory);
  const ldap = ldapCommands(directory);
  for (const host of Object.keys(hosts)) campus.start(host);
  await campus.serve(["laptop 192.0.2.11 north", "printer 192.0.2.10 north"]);

  // Edits by hand, as an administrator makes them; each time is that of the slower host.
  const slow: string[] = [];
  async function timed(what: string, change: Promise<unknown>, rows: readonly string[]): Promise<void> {
    await change;
    const start = performance.now();
    await campus.serve(rows);
    slow.push(`${what} ${Math.round(performance.now() - start)} ms`);
  }
  await timed("ldapmodify", ldap("ldapmodify", [], added(phone)), [
    "laptop 192.0.2.11 north",
    "phone 192.0.2.12 south",
    "printer 192.0.2.10 north",
  ]);
  await timed("ldapmodrdn", ldap("ldapmodrdn", ["-r", `ou=north,${base}`, "ou=east"]), [
    "laptop 192.0.2.11 east",
    "phone 192.0.2.12 south",
    "printer 192.0.2.10 east",
  ]);
  await timed("ldapdelete", ldap("ldapdelete", [`cn=printer,ou=east,${base}`]), [
    "laptop 192.0.2.11 east",
    "phone 192.0.2.12 south",
  ]);
  await campus.send(1);
  for (const host of boxes) await until(() => campus.notes(host).length === 1, patience);

  await directory.restart();
  await ldap("ldapmodrdn", ["-r", `cn=phone,ou=south,${base}`, "cn=mobile"]);
  await campus.serve(["laptop 192.0.2.11 east", "mobile 192.0.2.12 south"]);

  // A host without pending rows is killed; rows and messages wait for it.
  await until(() => campus.owesNothing("box1"), patience);
  await campus.kill("box1");
  await campus.send(2);
  await ldap("ldapmodrdn", ["-r", `cn=laptop,ou=east,${base}`, "cn=desk"]);
  await campus.serve(["desk 192.0.2.11 east", "mobile 192.0.2.12 south"], ["box2"]);
  campus.start("box1");
  await campus.serve(["desk 192.0.2.11 east", "mobile 192.0.2.12 south"]);
  for (const host of boxes) await until(() => campus.notes(host).length === 2, patience);

  // The broker loses power, and the directory goes on changing. This comes last, for the queues must be some seconds
  // old: docs/design/rabbitmq.md.
  await broker.kill9();
  await ldap("ldapmodify", [], `dn: cn=mobile,ou=south,${base}\nreplace: ipHostNumber\nipHostNumber: 192.0.2.13\n`);
  await broker.restart();
  await campus.serve(["desk 192.0.2.11 east", "mobile 192.0.2.13 south"]);
  await campus.send(3);
  for (const host of boxes) await until(() => campus.notes(host).length === 3, patience);

  const verified = await campus.trigger("civet", ["verify"]);
  assert.equal(verified.code, 0, verified.out + verified.err);
  await until(async () => (await campus.trigger("civet", ["status"])).code === 0, patience);
  await campus.isEqual();
  for (const host of boxes) assert.deepEqual(campus.notes(host), ["1", "2", "3"], `${host} handled each message once`);
  await campus.stop();
  assert.match(campus.said(), /civet: up with event/);
  for (const secret of [brokerPassword, directory.password]) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      assert.ok(!campus.said().includes(form), "a password was shown");
    }
  }
  t.diagnostic(`from the end of the command to the file on both hosts: ${slow.join(", ")}`);
});

const content = `${baseLdif}${["north", "south"].map(unit).join("")}${[printer, laptop].map((one) => below("north", one)).join("")}`;

function unit(name: string): string {
  return `\ndn: ou=${name},dc=campus,dc=example\nobjectClass: organizationalUnit\nou: ${name}\n`;
}

/** The record of a machine below a unit. */
function below(name: string, machine: Machine): string {
  return record(machine).replace(",dc=campus", `,ou=${name},dc=campus`);
}

const added = (machine: Machine): string => below("south", machine).replace(/^(dn: .*)$/m, "$1\nchangetype: add");

function configOf(
  directory: Slapd,
  broker: RabbitServer,
  { ca, cert, key }: { ca: string; cert: string; key: string },
) {
  return configText({
    broker: { url: `amqps://trigger@127.0.0.1:${broker.tlsPort}`, passwordFile: "broker.password", ca, cert, key },
    directory: {
      url: directory.ldapsUrl,
      base: directory.base,
      bindDn: directory.adminDn,
      passwordFile: "ldap.password",
      ca: directory.ca,
    },
    hosts,
  });
}

/** The three machines: a folder and a process each. */
function network(t: TestContext, config: string, { password }: Slapd) {
  const files = {
    "trigger.config.ts": config,
    "services/names.ts": names,
    "broker.password": `${brokerPassword}\n`,
    "ldap.password": `${password}\n`,
  };
  const projects = new Map(Object.keys(hosts).map((host) => [host, makeProject(t, { hosts, files })]));
  const { trigger, start, end, lines, said, own, status } = machines((host) => projects.get(host) ?? assert.fail(host));

  return {
    ...{ trigger, said, start },
    kill: (host: string) => end(host, "SIGKILL"),
    async stop() {
      for (const host of Object.keys(hosts)) assert.equal((await end(host, "SIGTERM")).code, 0, host);
    },
    /** Waits until hosts serve these rows. */
    async serve(rows: readonly string[], which: readonly string[] = boxes): Promise<void> {
      for (const host of which) {
        await until(() => lines(host, "names").join() === rows.join(), patience).catch((error) => {
          throw new Error(`${host} serves ${lines(host, "names")}, not ${rows}\n${said()}`, { cause: error });
        });
      }
    },
    async send(n: number): Promise<void> {
      const { code, out, err } = await trigger("civet", ["send", "note", `{"n": ${n}}`]);
      assert.equal(code, 0, out + err);
    },
    notes: (host: string): string[] => lines(host, "notes"),
    /** True if nothing is pending on a host, by its own store. */
    async owesNothing(host: string): Promise<boolean> {
      const { services } = await own(host);
      return Object.keys(services).length === 2 && Object.values(services).every(({ pending }) => pending === 0);
    },
    /**
     * Checks the reports of hosts on other machines: each table must equal the transcriber's, as of its last digest.
     */
    async isEqual(): Promise<void> {
      const { hosts: all } = await status("civet");
      const epoch = all.find(({ host }) => host === "civet")?.transcriber?.epoch;
      for (const { host, here, services } of all.filter((one) => one.host !== "civet")) {
        const { equal, stored, doubt, pending } = services.names ?? assert.fail(`${host} said nothing of names`);
        const found = [here, doubt, pending, equal?.epoch, stored?.epoch];
        assert.deepEqual(found, [false, false, 0, epoch, epoch], JSON.stringify(all));
        assert.equal(equal?.seq, stored?.seq, JSON.stringify(all));
      }
    },
  };
}

const names = `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
export default files({
  row: z.object({ name: Hostname, ip: Ip, place: z.string() }),
  unique: ["name", "ip"],
  pace: 50,
  select(machine, directory) {
    if (!machine.is("ipHost")) return;
    const place = directory.parent(machine)?.name ?? "";
    return { name: machine.name, ip: machine.one("ipHostNumber"), place };
  },
  files: (rows, host) => ({
    path: fileURLToPath(new URL(\`../out/\${host.name}/names\`, import.meta.url)),
    text: [...rows].map(({ name, ip, place }) => \`\${name} \${ip} \${place}\\n\`).sort().join(""),
  }),
});
`;
