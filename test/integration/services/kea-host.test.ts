import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject } from "../../project.ts";
import { type RunningKea, startKea } from "../../servers/kea.ts";
import { until } from "../../until.ts";

const machine = (name: string, mac: string, ip: string): string =>
  `dn: cn=${name},dc=campus,dc=example\nobjectClass: device\nobjectClass: ieee802Device\nobjectClass: ipHost\ncn: ${name}\nmacAddress: ${mac}\nipHostNumber: ${ip}\n\n`;
const base = "dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n\n";
const pc = machine("pc", "02:00:00:00:00:0a", "10.9.0.10");
const moved = machine("pc", "02:00:00:00:00:0a", "10.9.0.20");

/** The addresses of Kea's reservations. */
async function addresses(daemon: RunningKea): Promise<string> {
  const { Dhcp4 } = await daemon.running();
  return (Dhcp4.subnet4[0]?.reservations ?? [])
    .map((one) => one["ip-address"])
    .sort()
    .join(" ");
}

test("a change while Kea is down is pending, and applied soon after its return", async (t) => {
  await using daemon = await startKea(
    {},
    { reservations: [{ "hw-address": "02:00:00:00:00:ff", "ip-address": "10.9.0.99" }] },
  );
  const service = `import { kea } from "trigger";
export default kea({ socket: ${JSON.stringify(daemon.socket)}, daemon: { pidFile: "${daemon.folder}/kea.kea-dhcp4.pid" } });\n`;
  const { trigger, write, spawn } = makeProject(t, {
    hosts: { box: ["dhcp"], civet: ["event"] },
    files: { "services/dhcp.ts": service, "directory.ldif": base + pc },
  });
  spawn(["up", "--all"]);
  await until(async () => (await addresses(daemon)) === "10.9.0.10 10.9.0.99", { within: 20_000 });
  await until(async () => (await trigger(["status"])).code === 0, { within: 20_000 });
  const same = await trigger(["diff", "dhcp"]);
  assert.match(same.out, /^box dhcp: the same\n {2}foreign {2}.*10\.9\.0\.99/);

  await daemon.kill("SIGKILL");
  write("directory.ldif", base + moved);
  await until(async () => (await trigger(["status"])).out.includes("no daemon answers"), { within: 20_000 });
  await daemon.start();
  const returned = performance.now();
  await until(async () => (await addresses(daemon)) === "10.9.0.20 10.9.0.99");
  const late = performance.now() - returned;
  t.diagnostic(`applied ${Math.round(late)} ms after the return`);
  await until(async () => (await trigger(["status"])).code === 0, { within: 20_000 });

  const running = await daemon.running();
  running.Dhcp4.subnet4[0]?.reservations.splice(0);
  assert.equal((await daemon.command("config-set", running)).result, 0);
  const drift = await trigger(["diff", "dhcp"]);
  assert.equal(drift.code, 1);
  assert.match(drift.out, /missing {2}.*10\.9\.0\.20/);
  assert.equal((await trigger(["regen", "dhcp"])).code, 0);
  await until(async () => (await addresses(daemon)) === "10.9.0.20");
});
