import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dhcpHosts, dhcpRow, iscDhcp } from "../../src/services/isc-dhcp.ts";
import { memoryMachine } from "../../src/testing/memory-machine.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, quietMachine, scene, selected } from "./scene.ts";

const pc = { mac: "AA-BB-CC-DD-EE-FF", ip: "10.0.0.7", name: "PC7" };
const included = { "/etc/dhcp/dhcpd.conf": 'include "/etc/dhcp/trigger-hosts.conf";\n' };
const including = () => quietMachine(included);

conform("iscDhcp", iscDhcp(), [pc], { machine: including });

/** An independent reader of host declarations, which fails at any unknown word. */
export function readHosts(text: string) {
  const line =
    /^host ([a-z0-9-]+) \{ hardware ethernet ([0-9a-f:]{17}); fixed-address ([0-9.]+); option host-name "([a-z0-9-]+)"; \}$/;
  return text
    .split("\n")
    .filter((one) => one !== "" && !one.startsWith("#"))
    .map((one) => {
      const [, name, mac, ip, option] = line.exec(one) ?? assert.fail(`not a host declaration: ${JSON.stringify(one)}`);
      assert.equal(option, name);
      return { mac, ip, name };
    });
}

test("values of a machine are refused or give exactly one declaration", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ mac: anything(pc.mac), ip: anything(pc.ip), name: anything(pc.name) })),
      (given) => {
        const rows = given.flatMap((row) => dhcpRow().safeParse(row).data ?? []);
        assert.deepEqual(readHosts(dhcpHosts(rows)), rows);
      },
    ),
  );
});

test("dhcpd's whole configuration is checked, and dhcpd restarted once", async () => {
  const { machine, run } = scene(iscDhcp(), { machine: including() });
  const calls: string[] = [];
  machine.program("dhcpd", ({ arguments: [, , path] }) => void calls.push(machine.text(path ?? "") ?? "nothing"));
  machine.program("systemctl", ({ arguments: words }) => void (words[0] !== "show" && calls.push(words.join(" "))));
  await run({ a: pc });
  assert.match(calls[0] ?? "", /^include ".*trigger-hosts\.conf.+";/);
  assert.deepEqual(calls.slice(1), ["restart isc-dhcp-server"]);
  assert.deepEqual(readHosts(machine.text("/etc/dhcp/trigger-hosts.conf") ?? ""), [
    { mac: "aa:bb:cc:dd:ee:ff", ip: "10.0.0.7", name: "pc7" },
  ]);
});

test("a machine without dhcpd is an error that says so, for every setting", async () => {
  const without = { name: "Away", message: /^dhcpd is not installed \(Debian up to 13: isc-dhcp-server; / };
  await assert.rejects(scene(iscDhcp(), { machine: memoryMachine() }).run({ a: pc }), without);
  await assert.rejects(scene(iscDhcp(), { machine: memoryMachine({ files: included }) }).run({ a: pc }), without);
  const omapi = { keyFile: "/etc/omapi.key" };
  const files = { [omapi.keyFile]: 'key "trigger" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n' };
  await assert.rejects(scene(iscDhcp({ omapi }), { machine: memoryMachine({ files }) }).run({ a: pc }), without);
});

test("an installed dhcpd that refuses is not reported as missing", async () => {
  const machine = including();
  machine.program("dhcpd", ({ arguments: [word] }) => ({ code: word === "-t" ? 1 : 0, stderr: "semicolon expected" }));
  await assert.rejects(scene(iscDhcp(), { machine }).run({ a: pc }), /the check of .*trigger-hosts\.conf failed/);
});

test("a host can differ in its paths and commands", async () => {
  const service = iscDhcp({ within: false, check: false, reload: false, on: { dhcp2: { path: "/srv/hosts.conf" } } });
  for (const [name, path] of [
    ["dhcp1", "/etc/dhcp/trigger-hosts.conf"],
    ["dhcp2", "/srv/hosts.conf"],
  ] as const) {
    const { machine, run } = scene(service, { name });
    await run({ a: pc });
    assert.equal(readHosts(machine.text(path) ?? "").length, 1);
  }
});

test("by default machines of RFC 2307 with one MAC and IPv4 address are selected", () => {
  const machine = (ips: string[], macs = [pc.mac]) =>
    entry(["ieee802Device", "ipHost"], "pc7.campus.example", { macaddress: macs, iphostnumber: ips });
  assert.deepEqual(selected(iscDhcp(), machine(["10.0.0.7", "2001:db8::7"])), { mac: pc.mac, ip: pc.ip, name: "pc7" });
  assert.equal(selected(iscDhcp(), machine(["2001:db8::7"])), undefined);
  assert.equal(selected(iscDhcp(), entry(["ipHost"], "pc7", { iphostnumber: ["10.0.0.7"] })), undefined);
  assert.throws(
    () => selected(iscDhcp(), machine(["10.0.0.7", "10.0.0.8"])),
    /several IPv4 addresses \(10\.0\.0\.7, 10\.0\.0\.8\)/,
  );
  assert.throws(() => selected(iscDhcp(), machine(["10.0.0.7"], [pc.mac, "00:00:00:00:00:01"])), /macAddress/);
});
