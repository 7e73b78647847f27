import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dryMachine } from "../../src/machines/dry.ts";
import { dynamicHosts } from "../../src/services/dhcpd/host-declarations.ts";
import { dhcpRow, iscDhcp } from "../../src/services/isc-dhcp.ts";
import { readKey } from "../../src/services/key-file.ts";
import { runs } from "../hostile.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { omapi } from "./omapi.ts";
import { hostOn, rowsOf, scene, tableOf } from "./scene.ts";

const service = iscDhcp({ omapi: {} });
const pc = { mac: "02:00:00:00:00:01", ip: "10.0.0.7", name: "pc7" };
const server = { mac: "02:00:00:00:00:02", ip: "10.0.0.8", name: "server" };

conform("iscDhcp over OMAPI", service, [pc, server], {
  machine: () => omapi().machine,
  // The daemon's own journal of what it was told.
  meaning: (files) => new Map([...files].filter(([path]) => !path.endsWith("/dhcpd.leases"))),
});

test("accepted values reach dhcpd unchanged, and become no other command", async () => {
  const value = fc.record({ mac: anything(pc.mac), ip: anything(pc.ip), name: anything(pc.name) });
  await fc.assert(
    fc.asyncProperty(fc.array(value), fc.boolean(), async (given, whole) => {
      const rows = given.flatMap((row) => dhcpRow().safeParse(row).data ?? []);
      const distinct = rows.filter((row, at) =>
        rows.slice(0, at).every(({ mac, name }) => mac !== row.mac && name !== row.name),
      );
      const dhcpd = omapi();
      await scene(service, dhcpd).run(Object.fromEntries(distinct.map((row) => [row.mac, row])), { whole });
      const has = [...dhcpd.hosts].map(([name, rest]) => ({ ...rest, name }));
      assert.deepEqual(new Set(has), new Set(distinct.map(({ mac, ip, name }) => ({ mac, ip, name }))));
    }),
    { numRuns: runs(40) },
  );
});

test("one omshell makes the changes of a run, with the secret in its input", async () => {
  const dhcpd = omapi();
  const { run } = scene(service, dhcpd);
  await run({}, { whole: true });
  dhcpd.runs = 0;
  await run({ a: pc, b: server });
  assert.equal(dhcpd.runs, 2, "one that looks for what is new, one that changes");
  dhcpd.runs = 0;
  await run({ a: { ...pc, ip: "10.0.0.9" }, b: { ...server, name: "printer" } });
  assert.equal(dhcpd.runs, 1);
  assert.deepEqual(dhcpd.commands.slice(0, 5), [
    "server 127.0.0.1",
    "port 7911",
    "key-algorithm hmac-sha256",
    "key trigger c2VjcmV0",
    "connect",
  ]);
});

test("a change costs the same in any table, without the leases file", async () => {
  const costs: [commands: number, reads: string[]][] = [];
  for (const size of [3, 300]) {
    const row = (at: number) => ({
      mac: `02:01:00:00:${at >> 8}:${(at & 255).toString(16)}`,
      ip: `10.1.0.${at % 256}`,
    });
    const rows = Array.from({ length: size }, (_, at) => [`k${at}`, { ...row(at), name: `m${at}` }] as const);
    const dhcpd = omapi();
    const { run } = scene(service, dhcpd);
    await run(Object.fromEntries(rows), { whole: true });
    const reads: string[] = [];
    const { read } = dhcpd.machine.files;
    const noting = (path: string) => {
      reads.push(path);
      return read(path);
    };
    Object.assign(dhcpd.machine.files, { read: noting });
    await run({ ...Object.fromEntries(rows), k2: { ...row(2), name: "m2", ip: "10.2.0.1" } });
    assert.equal(dhcpd.hosts.get("m2")?.ip, "10.2.0.1");
    costs.push([dhcpd.commands.length, reads]);
  }
  assert.deepEqual(costs[0], [23, ["/etc/dhcp/omapi.key"]]);
  assert.deepEqual(costs[1], costs[0]);
});

test("a foreign host's name is never read as commands, even if adopted", async () => {
  const text = `host a";remove {\n  dynamic;\n  hardware ethernet ${pc.mac};\n  fixed-address 10.0.0.9;\n}\n`;
  for (const whole of [true, false]) {
    const dhcpd = omapi({ "/var/lib/dhcp/dhcpd.leases": text });
    dhcpd.hosts.set('a";remove', { mac: pc.mac, ip: "10.0.0.9" });
    const { run } = scene(service, { machine: dhcpd.machine, approved: [pc.mac] });
    const result = await run({ a: pc, b: server }, { whole });
    assert.match(result?.refused?.[0]?.why ?? "", /it has host a";remove with/);
    assert.deepEqual([...dhcpd.hosts.keys()], ['a";remove', "server"]);
  }
});

test("a full run without changes only queries whether dhcpd answers", async () => {
  const dhcpd = omapi();
  const { run } = scene(service, dhcpd);
  await run({ a: pc }, { whole: true });
  const { result, leases } = {
    result: await run({ a: pc }, { whole: true }),
    leases: dhcpd.machine.text("/var/lib/dhcp/dhcpd.leases"),
  };
  assert.deepEqual(result, { refused: [], held: [], serving: true });
  assert.ok(dhcpd.commands.includes("open"));
  assert.equal(leases?.match(/host pc7/g)?.length, 1);
});

test("an earlier hosts file is emptied once, and dhcpd restarted for it", async () => {
  const dhcpd = omapi({ "/etc/dhcp/dhcpd.conf": 'include "/etc/dhcp/trigger-hosts.conf";\n' });
  const restarts: string[] = [];
  dhcpd.machine.program(
    "systemctl",
    ({ arguments: words }) => void (words[0] !== "show" && restarts.push(words.join(" "))),
  );
  await scene(iscDhcp(), dhcpd).run({ a: pc });
  assert.match(dhcpd.machine.text("/etc/dhcp/trigger-hosts.conf") ?? "", /^host pc7/m);
  const { run } = scene(service, dhcpd);
  for (const times of [1, 2]) {
    await run({ a: pc }, { whole: true });
    assert.doesNotMatch(dhcpd.machine.text("/etc/dhcp/trigger-hosts.conf") ?? "", /^host/m, `the ${times}. time`);
  }
  assert.deepEqual(restarts, ["restart isc-dhcp-server", "restart isc-dhcp-server"]);
  assert.deepEqual([...dhcpd.hosts.keys()], ["pc7"]);
});

test("a dry run notes its command, and sends dhcpd none", async () => {
  const dhcpd = omapi();
  await scene(service, dhcpd).run({ a: pc }, { whole: true });
  const dry = dryMachine(dhcpd.machine);
  const rows = rowsOf(new Map([["b", dhcpRow().parse(server)]]));
  const host = hostOn(dry);
  host.owned.claim([pc.mac]);
  await tableOf(service).run({ rows, changes: undefined, interrupted: false }, host);
  assert.deepEqual(
    dry.noted().commands.map(({ command }) => command),
    [["omshell"]],
  );
  assert.deepEqual([...dhcpd.hosts.keys()], ["pc7"]);
});

test("a run without programs, as under `trigger plan`, ends", async () => {
  const { run } = scene(service);
  for (const whole of [true, false]) await run(whole ? { a: pc } : { b: server }, { whole });
});

test("observe gives the hosts made by OMAPI, or those of the file", async () => {
  const dhcpd = omapi({
    "/srv/hosts.conf": `# host no { hardware ethernet ${pc.mac}; }\nhost pc7 { hardware ethernet ${pc.mac}; # x }\n fixed-address ${pc.ip}; option host-name "}"; }\n`,
  });
  await scene(service, dhcpd).run({ b: server });
  const host = hostOn(dhcpd.machine);
  assert.deepEqual([...((await tableOf(service).observe?.(host)) ?? [])], [server]);
  const file = tableOf(iscDhcp({ path: "/srv/hosts.conf" }));
  assert.deepEqual([...((await file.observe?.(host)) ?? [])], [pc]);
});

test("the last declaration in a leases file holds; client names are no hosts", () => {
  const host = (name: string, ...lines: string[]) =>
    `host ${name} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
  const text = [
    host("a", "dynamic;", "hardware ethernet 02:00:00:00:00:01;", "fixed-address 10.0.0.1;"),
    host("b", "dynamic;", "hardware ethernet 02:00:00:00:00:02;", "fixed-address 10.0.0.2,10.0.0.3;"),
    `lease 10.0.0.9 {\n  binding state active;\n  client-hostname "\nhost evil { dynamic; hardware ethernet 02:00:00:00:00:09; }";\n}\n`.replace(
      "\n\n",
      "\n",
    ),
    host("stat", "deleted;"),
    host("a", "dynamic;", "deleted;"),
    host(
      "a",
      "dynamic;",
      "hardware ethernet 02:00:00:00:00:0A;",
      "fixed-address 10.0.0.4;",
      'supersede host-name = "a";',
    ),
    host("c", "dynamic;", 'uid "x";'),
    host("b", "dynamic;", "deleted;"),
    "host cut {\n  dynamic;\n  hardware ethernet 02:00:00:00:00:0c;\n",
  ];
  assert.deepEqual(
    [...dynamicHosts(text.join("")).values()],
    [{ mac: "02:00:00:00:00:0a", ip: "10.0.0.4", name: "a" }],
  );
});

test("a key is read in the forms of tsig-keygen and dhcpd.conf(5) alone", () => {
  const key = { name: "trigger", algorithm: "hmac-sha256", secret: "c2VjcmV0" };
  for (const text of [
    'key "trigger" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n',
    "# key old { algorithm hmac-md5; secret b2xk; };\nkey trigger { algorithm HMAC-SHA256; secret c2VjcmV0; }",
  ]) {
    assert.deepEqual(readKey(text, "/key"), key);
  }
  for (const text of [
    "",
    "c2VjcmV0",
    'key "a\nserver 10.0.0.1" { algorithm hmac-sha256; secret "c2VjcmV0"; };',
    'key a { algorithm hmac-sha256; secret "c2Vj\ncmV0"; };',
  ]) {
    assert.throws(() => readKey(text, "/key"), /^Error: \/key has no key: expected key "name"/);
  }
});
