import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer, record } from "../project.ts";
import { startSlapd } from "../servers/slapd.ts";
import { until } from "../until.ts";

const hosts = { box: ["names"], civet: ["event"] };
const config = (directory: object): string =>
  `import { defineConfig } from "trigger";
export default defineConfig({ directory: ${JSON.stringify(directory)}, hosts: ${JSON.stringify(hosts)} });\n`;

test("hosts follow an OpenLDAP server, stay as they are during outages, and catch up", {
  timeout: 60_000,
}, async (t) => {
  await using server = await startSlapd({ ldif: ldif([printer, laptop]).replace("version: 1\n", "") });
  const { url, base, adminDn: bindDn } = server;
  const project = makeProject(t, {
    hosts,
    files: {
      "trigger.config.ts": config({ url, base, bindDn, passwordFile: "ldap.password" }),
      "ldap.password": `${server.password}\n`,
    },
  });
  const tried = await project.trigger(["try", "names"]);
  assert.match(tried.out, /"name":"laptop".*\n.*"name":"printer"|"name":"printer".*\n.*"name":"laptop"/);
  assert.equal(tried.code, 0, tried.err);

  const up = project.spawn(["up", "--all"]);
  const names = (): string[] => (project.read("out/box/names") ?? "").split("\n").filter(Boolean).sort();
  await until(() => names().length === 2, { within: 20_000 });
  await server.modify(record({ name: "phone", ip: "192.0.2.12" }).replace(/^(dn: .*)$/m, "$1\nchangetype: add"));
  await until(() => names().includes("phone 192.0.2.12"));

  await server.kill9();
  await until(() => /civet: the directory: .*is slapd running/.test(up.said()));
  assert.equal(names().length, 3);
  await server.start();
  await until(() => up.said().includes("the directory can be read again"));
  await server.modify(`dn: cn=printer,${base}\nchangetype: delete\n`);
  await until(() => names().length === 2);
  assert.deepEqual(names(), ["laptop 192.0.2.11", "phone 192.0.2.12"]);
  assert.ok(!up.said().includes(server.password));
});

test("try and plan give the reason why a server cannot be read", { timeout: 30_000 }, async (t) => {
  await using server = await startSlapd();
  const { url, adminDn: bindDn } = server;
  const project = makeProject(t, {
    hosts,
    files: {
      "trigger.config.ts": config({ url, base: "dc=campus,dc=example", bindDn, passwordFile: "ldap.password" }),
      "ldap.password": "not the password\n",
    },
  });
  const { code, err } = await project.trigger(["try", "names"]);
  assert.equal(code, 2);
  assert.match(err, /result 49 invalidCredentials.*directory\.bindDn/);
  assert.ok(!err.includes("not the password"));

  rmSync(project.path("ldap.password"));
  const lost = await project.trigger(["try", "names"]);
  assert.match(lost.err, /directory\.passwordFile: ENOENT.*ldap\.password/);
});
