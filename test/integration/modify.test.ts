import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openDirectory } from "../../src/directory.ts";
import { laptop, makeProject, printer, record } from "../project.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { baseLdif, type Slapd, startSlapd } from "../servers/slapd.ts";
import { until } from "../until.ts";

const top = "dc=campus,dc=example";
const id = /^[0-9a-f-]{36}@\d{14}\.\d{6}Z#\d{6}#\d{3}#\d{6}$/;

interface Scene {
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  readonly broker?: string;
}

/** A project whose directory is slapd's, with a second service that machines do not move. */
function scene(t: TestContext, { url, base, adminDn: bindDn, password }: Slapd, { hosts = usual, broker }: Scene = {}) {
  const config = {
    directory: { url, base, bindDn, passwordFile: "ldap.password", unique: ["ipHostNumber"] },
    ...(broker !== undefined && { broker: { url: broker, passwordFile: "broker.password" } }),
    hosts,
  };
  const files = {
    "trigger.config.ts": `import { defineConfig } from "trigger";\nexport default defineConfig(${JSON.stringify(config)});\n`,
    "services/people.ts": people,
    "ldap.password": `${password}\n`,
    "broker.password": "s3cret-of-the-test\n",
    "wrong.password": "not it\n",
  };
  return makeProject(t, { hosts, files });
}

const usual = { box: ["names", "people"], civet: ["event"] };
const content = `${baseLdif}${record(printer)}${record(laptop)}`;
const people = `
import { service, z } from "trigger";
export default service({
  row: z.object({ name: z.string() }),
  unique: ["name"],
  select: (one) => (one.is("person") ? { name: one.name } : undefined),
  run() {},
});
`;
const phone = record({ name: "phone", ip: "192.0.2.12" }).trimStart().replace("\n", "\nchangetype: add\n");
const moved = (ip: string): string =>
  `dn: cn=phone,${top}\nchangetype: modify\nreplace: ipHostNumber\nipHostNumber: ${ip}\n`;
const renamed = `dn: cn=phone,${top}\nchangetype: modrdn\nnewrdn: cn=mobile\ndeleteoldrdn: 1\n`;
const deleted = `dn: cn=mobile,${top}\nchangetype: delete\n`;

function amqp({ port }: RabbitServer): string {
  return `amqp://trigger@127.0.0.1:${port}`;
}

test("modify --wait ends once changes are applied, and the transcriber logs author and reason", {
  timeout: 120_000,
}, async (t) => {
  await using stack = new AsyncDisposableStack();
  const [server, rabbit] = await Promise.all([startSlapd({ ldif: content }), startRabbit()]);
  stack.use(server);
  stack.use(rabbit);
  // Two machines: what the one knows of the other, it has heard.
  const project = scene(t, server, { broker: amqp(rabbit) });
  const box = scene(t, server, { broker: amqp(rabbit) });
  const up = project.spawn(["up", "--host", "civet"]);
  box.spawn(["up", "--host", "box"]);
  const names = (): string[] => (box.read("out/box/names") ?? "").split("\n").filter(Boolean).sort();
  await until(() => names().length === 2, { within: 30_000 });

  const made = async (ldif: string, more: readonly string[] = []) => {
    project.write("change.ldif", ldif);
    return project.trigger(["modify", "change.ldif", "--who", "camille", "--wait", "--timeout", "30", ...more]);
  };
  const steps: [ldif: string, line: string, machine: string | undefined][] = [
    [phone, `added cn=phone,${top}`, "phone 192.0.2.12"],
    [moved("192.0.2.13"), `modified cn=phone,${top}`, "phone 192.0.2.13"],
    [renamed, `renamed cn=phone,${top}`, "mobile 192.0.2.13"],
    [deleted, `deleted cn=mobile,${top}`, undefined],
  ];
  for (const [ldif, line, machine] of steps) {
    const { code, out, err } = await made(ldif, ["--why", "a test"]);
    assert.deepEqual(names(), ["laptop 192.0.2.11", machine ?? [], "printer 192.0.2.10"].flat().sort(), out + err);
    const [first = "", last] = out.trim().split("\n");
    const [change = "", ...words] = first.split(" ");
    assert.match(change, id);
    assert.deepEqual([words.join(" "), last, code], [line, "every host has applied it", 0], out + err);
  }
  for (const name of ["phone", "mobile"]) {
    await until(() => new RegExp(`cn=${name},${top}.*camille: a test`).test(up.said())).catch(() => {
      assert.fail(up.said());
    });
  }

  await rabbit.kill9();
  const { code, out, err } = await made(phone, ["--timeout", "1"]);
  assert.equal(code, 1, out + err);
  assert.match(err, /^trigger modify: made, but who and why were not published: /);
  assert.match(out, /^box names: not applied: .+\nbox people: not applied: .+$/m);
});

test("modify stops at the first refused change, and reports those made", { timeout: 60_000 }, async (t) => {
  await using server = await startSlapd({ ldif: content });
  const project = scene(t, server);
  const run = (ldif: string, more: readonly string[] = []) => {
    project.write("change.ldif", ldif);
    return project.trigger(["modify", "change.ldif", ...more]);
  };
  const twin = moved("192.0.2.10");
  const { code, out, err } = await run([phone, twin, renamed].join("\n"));
  assert.equal(code, 2);
  assert.match(out, /^\S+ added cn=phone,\S+\n$/);
  assert.match(
    err,
    /change\.ldif:8: cn=phone,.*: iphostnumber "192\.0\.2\.10" belongs to cn=printer,.*; 1 of 3 changes were made before this one, none after it\n$/,
  );

  const half = await run(`${deleted}\n${record(laptop).trimStart()}`);
  assert.match(half.err, /change\.ldif:4: cn=laptop,.*: expected "changetype:" after the DN/);
  assert.deepEqual([half.code, half.out], [2, ""], "nothing is done of a file that is wrong");

  const stranger = await run(renamed, ["--bind-dn", server.adminDn, "--password-file", "wrong.password"]);
  assert.equal(stranger.code, 2);
  assert.match(stranger.err, /invalidCredentials/);
  assert.match((await run(renamed, ["--bind-dn", server.adminDn])).err, /passwordFile must be given together/);
  assert.match((await run(renamed, ["--timeout", "soon"])).err, /--timeout: expected seconds/);

  const late = await run(renamed, ["--wait", "--timeout", "0"]);
  assert.equal(late.code, 1, late.err);
  assert.match(late.out, /^box names: not applied: no report here/m);
});

test("modify refuses a directory that is a file", async (t) => {
  const project = makeProject(t);
  project.write("change.ldif", phone);
  const { code, err } = await project.trigger(["modify", "change.ldif"]);
  assert.equal(code, 2);
  assert.match(err, /the directory is a file, .*directory\.ldif: edit it/);
});

test("a program overwrites no unread value, and learns which host lacks its change", {
  timeout: 60_000,
}, async (t) => {
  await using server = await startSlapd({ ldif: content });
  const project = scene(t, server, { broker: "amqp://trigger@127.0.0.1:1" });
  await using directory = await openDirectory(project.folder, { who: "adhesion", why: "a new member" });
  const dn = `cn=tablet,${top}`;
  const added = await directory.add(dn, {
    objectClass: ["device", "ipHost"],
    cn: ["tablet"],
    ipHostNumber: ["192.0.2.20"],
  });
  assert.match(added.id, id);
  assert.equal(added.before, null);
  assert.match(added.warning ?? "", /127\.0\.0\.1/);
  const set = (ip: string) => [{ kind: "replace", attribute: "ipHostNumber", values: [ip] }] as const;
  const read = await directory.read(dn);
  assert.ok(read && added.after);
  assert.equal(read.csn, added.after.csn);
  const changed = await directory.modify(read, set("192.0.2.21"));
  assert.deepEqual(changed.before?.attributes.get("iphostnumber"), ["192.0.2.20"]);
  assert.deepEqual(changed.after?.attributes.get("iphostnumber"), ["192.0.2.21"]);
  await assert.rejects(directory.modify(read, set("192.0.2.22")), /it has changed since it was read: read it again/);
  await assert.rejects(directory.delete(read), /it has changed since it was read/);
  await assert.rejects(directory.modify(dn, set("192.0.2.10")), /belongs to cn=printer/);

  assert.ok(changed.after);
  const renamed = await directory.rename(changed.after, { newRdn: "cn=slate" });
  assert.ok(renamed.after);
  assert.equal(renamed.after.dn, `cn=slate,${top}`);
  const gone = await directory.delete(renamed.after);
  assert.match(gone.id, id);
  assert.deepEqual([gone.after, await directory.read(dn)], [null, undefined]);
  const late = await directory.notApplied([added, gone], { seconds: 0 });
  assert.deepEqual(
    late.map(({ host, service }) => `${host} ${service}`),
    ["box names", "box people"],
  );
});
