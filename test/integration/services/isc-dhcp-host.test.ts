import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { makeProject } from "../../project.ts";
import { startDhcpd } from "../../servers/dhcpd.ts";
import { withoutDhcpd } from "../../servers/installed.ts";
import { until } from "../../until.ts";

const skip = withoutDhcpd();
const mac = (number: number) => `02:00:00:00:00:${number}`;
const directory = (machines: Record<number, string>): string =>
  Object.entries(machines).reduce(
    (text, [number, ip]) =>
      `${text}\ndn: cn=pc${number},dc=campus,dc=example\nobjectClass: device\nobjectClass: ieee802Device\nobjectClass: ipHost\ncn: pc${number}\nmacAddress: ${mac(Number(number))}\nipHostNumber: ${ip}\n`,
    "version: 1\n\ndn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n",
  );

test("a host updates dhcpd, waits for its restart, and repairs a lost leases file", {
  skip,
}, async (t) => {
  const dhcpd = await startDhcpd();
  t.after(() => dhcpd[Symbol.asyncDispose]());
  const { keyFile, leases, pidFile, folder } = dhcpd;
  const options = {
    omapi: { keyFile, leases, command: dhcpd.inside("omshell") },
    ...{ path: `${folder}/hosts.conf`, within: false, daemon: { pidFile } },
  };
  const service = `import { iscDhcp } from "trigger";\nexport default iscDhcp(${JSON.stringify(options)});\n`;
  const project = makeProject(t, {
    hosts: { box: ["dhcp"], civet: ["event"] },
    files: { "services/dhcp.ts": service, "directory.ldif": directory({ 10: "10.77.0.10", 11: "10.77.0.11" }) },
  });
  const { trigger, write } = project;
  const up = project.spawn(["up", "--all"]);
  const has = (number: number): string =>
    /^ip-address = (.*)$/m.exec(
      dhcpd.omshell(`new host\nset hardware-address = ${mac(number)}\nset hardware-type = 1\nopen`),
    )?.[1] ?? "none";
  const status = async (what: RegExp) =>
    until(async () => what.test((await trigger(["status"])).out), { within: 15_000 }).catch(async (error) => {
      throw new Error(`${error.message}\n${(await trigger(["status"])).out}\n${up.said()}`);
    });
  await until(() => has(10) === "0a:4d:00:0a" && has(11) === "0a:4d:00:0b", { within: 20_000 });
  await until(async () => (await trigger(["status"])).code === 0);

  write("directory.ldif", directory({ 10: "10.77.1.10", 11: "10.77.0.11" }));
  await until(() => has(10) === "0a:4d:01:0a");
  assert.equal((await dhcpd.lease(mac(10)))?.ip, "10.77.1.10");

  await dhcpd.stop("SIGKILL");
  write("directory.ldif", directory({ 10: "10.77.2.10", 11: "10.77.0.11" }));
  await status(/dhcpd does not answer on 127\.0\.0\.1 port 7911/);
  assert.equal((await trigger(["diff", "dhcp"])).code, 2);
  writeFileSync(leases, "");
  await dhcpd.start();
  await until(() => has(10) === "0a:4d:02:0a" && has(11) === "0a:4d:00:0b", { within: 30_000 });

  dhcpd.omshell(`new host\nset hardware-address = ${mac(11)}\nset hardware-type = 1\nopen\nremove`);
  const drift = await trigger(["diff", "dhcp"]);
  assert.equal(drift.code, 1);
  assert.match(drift.out, /^box dhcp: differs\n {2}missing {2}\{"ip":"10\.77\.0\.11","mac":"02:00:00:00:00:11"/);
  assert.equal((await trigger(["regen", "dhcp"])).code, 0);
  await until(() => has(11) === "0a:4d:00:0b");
  assert.equal((await trigger(["diff", "dhcp"])).out, "box dhcp: the same\n");
});
