import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { makeProject } from "../../project.ts";
import { type FreeRadius, freeRadius } from "../../servers/freeradius.ts";
import { baseLdif, startSlapd } from "../../servers/slapd.ts";
import { until } from "../../until.ts";

assert.ok(existsSync("/usr/sbin/freeradius"), "freeradius is not installed: run scripts/setup.sh test");

const base = "dc=campus,dc=example";
const dnOf = (name: string): string => `uid=${name},${base}`;
const generalized = (moment: number): string => `${new Date(moment).toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;

const account = (name: string, more = ""): string => `
dn: ${dnOf(name)}
objectClass: account
objectClass: posixAccount
objectClass: shadowAccount
uid: ${name}
cn: ${name}
uidNumber: 10007
gidNumber: 100
homeDirectory: /home/${name}
userPassword: right
${more}`;

const dora = account("dora").replace("objectClass: account\n", "$&objectClass: radiusprofile\n");

/** Its answer to the right password. Not more often: it remembers requests for 5 s, drops those past a thousand, and the probe would be among them. */
async function asks(radius: FreeRadius, name: string): Promise<string> {
  await setTimeout(50);
  return radius.pap(name, "right");
}

test("FreeRADIUS rejects accounts that are locked or expired, from the second on", { timeout: 120_000 }, async (t) => {
  await using slapd = await startSlapd({
    ldif: `${baseLdif}${account("alice")}${account("bob")}${account("carol", "shadowExpire: 1\n")}${dora}`,
    modules: ["ppolicy"],
    database: ["overlay ppolicy"],
  });
  await using radius = await freeRadius();
  const directory = { url: slapd.url, base, bindDn: slapd.adminDn, passwordFile: "ldap.password" };
  const hosts = { box: ["radius"], civet: ["event"] };
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `import { defineConfig } from "trigger";
export default defineConfig(${JSON.stringify({ directory, hosts })});\n`,
      "ldap.password": `${slapd.password}\n`,
      "services/radius.ts": `import { freeradius } from "trigger";
export default freeradius(${JSON.stringify(radius.place)});\n`,
    },
  });
  const up = project.spawn(["up", "--all"]);
  const hears = (name: string, code: string) =>
    until(async () => (await asks(radius, name)) === code, { within: 60_000 }).catch((error) => {
      throw new Error(`${name}: ${error.message}\n${up.said()}`);
    });
  await until(() => existsSync(radius.place.path), { within: 60_000 });
  await radius.start();
  await hears("alice", "Access-Accept");
  await hears("bob", "Access-Accept");
  await hears("dora", "Access-Accept");
  assert.equal(await radius.pap("carol", "right"), "Access-Reject", "carol has expired");

  const change = (name: string, line: string): Promise<void> =>
    slapd.modify(`dn: ${dnOf(name)}\nchangetype: modify\n${line}\n`);
  await change("alice", "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z");
  await hears("alice", "Access-Reject");
  await change("alice", "delete: pwdAccountLockedTime");
  await hears("alice", "Access-Accept");

  // A form that FreeRADIUS cannot check is no password at all: least of all the one before.
  const argon = "{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";
  await change("dora", `replace: userPassword\nuserPassword: ${argon}`);
  await hears("dora", "Access-Reject");
  await until(async () => /password: neither userPassword nor/.test((await project.trigger(["status"])).out));
  await change("dora", "replace: userPassword\nuserPassword: right");
  await hears("dora", "Access-Accept");

  // The reload of each change before is over, so that none holds this one up.
  const end = Math.ceil(Date.now() / 1000) * 1000 + 8000;
  await change("bob", `replace: pwdEndTime\npwdEndTime: ${generalized(end)}`);
  await hears("bob", "Access-Reject");
  const heard = Date.now();
  assert.ok(heard >= end, `rejected ${end - heard} ms before the end`);
  t.diagnostic(`rejected ${heard - end} ms after the end`);
  assert.equal(await radius.pap("alice", "right"), "Access-Accept");
});
