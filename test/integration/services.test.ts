import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Service } from "../../src/core/service/service.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { realMachine } from "../../src/machines/real.ts";
import { bindZone } from "../../src/services/bind-zone.ts";
import { homes } from "../../src/services/homes.ts";
import { iscDhcp } from "../../src/services/isc-dhcp.ts";
import { postfix } from "../../src/services/postfix.ts";
import { onPath, withoutDhcpd } from "../servers/installed.ts";
import { hostOn, rowsOf, tableOf } from "../services/scene.ts";

// The files of the ready-made services before the daemons' own checkers. `scripts/setup` installs these.
for (const program of ["named", "named-checkzone", "dig", "postmap", "zstd"]) {
  assert.ok(onPath(program), `${program} is not installed: run scripts/setup.sh test`);
}
const skip = withoutDhcpd();

/** Names that a daemon's own language knows, so that it could read a host as something else. */
const words = "host group subnet if include option in ch hs any a aaaa ptr ns soa ttl 1 1h 10 0x1 xn--e1afmkfd".split(
  " ",
);

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "trigger-services-"));
  chmodSync(path, 0o755); // named and postmap may not be root
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function run(service: Service, rows: readonly object[], host = hostOn(realMachine())) {
  const table = tableOf(service);
  const cells = new Map(rows.map((row, index) => [String(index).padStart(6, "0"), table.row.parse(row) as Columns]));
  return table.run({ rows: rowsOf(cells), changes: undefined, interrupted: false }, host);
}

test("dhcpd accepts its configuration with any table of hosts, even an empty one", { skip }, async (t) => {
  const place = folder(t);
  const [path, within] = [join(place, "hosts.conf"), join(place, "dhcpd.conf")];
  writeFileSync(within, `subnet 10.0.0.0 netmask 255.255.0.0 { }\ninclude "${path}";\n`);
  const service = iscDhcp({ path, within, reload: false });
  const host = hostOn(realMachine());
  await run(service, [], host);
  const rows = words.map((name, index) => ({
    name,
    mac: `02:00:00:00:00:${index.toString(16)}`,
    ip: `10.0.0.${index}`,
  }));
  await run(service, rows, host);
  assert.equal(readFileSync(path, "utf8").match(/^host /gm)?.length, words.length);
});

test("dhcpd's checker refuses a broken configuration, and the file is not installed", { skip }, async (t) => {
  const place = folder(t);
  const [path, within] = [join(place, "hosts.conf"), join(place, "dhcpd.conf")];
  writeFileSync(within, `subnet 10.0.0.0 { }\ninclude "${path}";\n`);
  await assert.rejects(run(iscDhcp({ path, within, reload: false }), []));
  assert.equal(existsSync(path), false);
});

const zone = (directory: string) => ({
  directory,
  zone: "campus.example",
  ns: ["ns1.campus.example"],
  records: ["ns1 A 10.0.0.2", "@ MX 10 mail", "mail A 10.0.0.3"],
  reverse: ["10.0.0.0/16", "2001:db8:1::/48"],
});
const names = words.map((name, index) => ({ name, ips: [`10.0.1.${index}`, `2001:db8:1::${index.toString(16)}`] }));

test("named-checkzone accepts the zones of any table of names, even an empty one", async (t) => {
  const directory = folder(t);
  const service = bindZone({ ...zone(directory), reload: false });
  const host = hostOn(realMachine());
  await run(service, [], host);
  await run(service, names, host);
  assert.match(readFileSync(join(directory, "db.0.10.in-addr.arpa"), "utf8"), /^0\.1 IN PTR host\.campus\.example\.$/m);
});

test("named serves the installed zones, and the probe waits for it", async (t) => {
  const directory = folder(t);
  const port = await freePort();
  const host = hostOn(realMachine());
  const probe = { server: "127.0.0.1", port };
  await run(bindZone({ ...zone(directory), reload: false }), [], host);
  const list = ["campus.example", "0.10.in-addr.arpa", "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"];
  const zones = list.map((name) => `zone "${name}" { type master; file "${join(directory, `db.${name}`)}"; };`);
  const options = `directory "${directory}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; notify no; pid-file none; managed-keys-directory "${directory}";`;
  writeFileSync(join(directory, "named.conf"), `options { ${options} };\ncontrols { };\n${zones.join("\n")}\n`);
  const named = spawn("named", ["-g", "-n", "1", "-c", join(directory, "named.conf")], { stdio: "ignore" });
  const ended = once(named, "exit");
  t.after(async () => {
    named.kill();
    await ended;
  });
  const dig = (name: string, type: string) =>
    host.ask(["dig", "+short", "+time=1", "+tries=10", "@127.0.0.1", "-p", `${port}`, type, name]);
  const service = bindZone({ ...zone(directory), reload: ["kill", "-HUP", `${named.pid}`], probe });
  await dig("campus.example.", "SOA").catch(() => ""); // named handles signals once it answers
  await run(service, names, host);
  assert.equal(
    (await dig("soa.campus.example.", "AAAA")).stdout.trim(),
    `2001:db8:1::${words.indexOf("soa").toString(16)}`,
  );
  assert.equal((await dig("0.1.0.10.in-addr.arpa.", "PTR")).stdout.trim(), "host.campus.example.");
});

for (const type of ["cdb", "lmdb"] as const) {
  test(`postmap makes a ${type} of any table of aliases, with each row's recipients`, async (t) => {
    const path = join(folder(t), "virtual");
    const host = hostOn(realMachine());
    const service = postfix({ path, type });
    await run(service, [], host);
    const many = Array.from({ length: 500 }, (_, number) => `member${number}@campus.example`);
    const rows = [
      { alias: "All@Campus.Example", to: many },
      { alias: "root", to: ["alice"] },
      { alias: "=&~@campus.example", to: ["a&b@campus.example"] },
    ];
    await run(service, rows, host);
    const { stdout } = await host.ask(["postmap", "-q", "all@campus.example", `${type}:${path}`]);
    assert.deepEqual(stdout.trim().split(", "), [...many].sort());
    await run(service, [], host);
    await assert.rejects(host.ask(["postmap", "-q", "root", `${type}:${path}`]));
  });
}

test("a home is made, adopted, and packed into the archive on a real disk", {
  skip: process.getuid?.() === 0 ? false : "only root can give directories away",
}, async (t) => {
  const base = folder(t);
  const skeleton = folder(t);
  mkdirSync(join(skeleton, "mail"));
  writeFileSync(join(skeleton, "mail", "box"), "welcome", { mode: 0o600 });
  const service = homes({ base, skeleton, pack: true }, { now: () => new Date("2026-11-22Z") });
  const host = hostOn(realMachine());
  const alice = { uid: "12345", gid: "12346", home: `${base}/alice` };
  assert.deepEqual(await run(service, [alice], host), { refused: [] });
  for (const path of ["alice", "alice/mail", "alice/mail/box"]) {
    const { uid, gid } = statSync(join(base, path));
    assert.deepEqual([uid, gid], [12345, 12346]);
  }
  assert.equal(statSync(join(base, "alice")).mode & 0o7777, 0o700);
  await run(service, [], host);
  assert.equal(existsSync(join(base, "alice")), false);
  const packed = join(base, ".archive/12345-alice-2026-11-22.tar.zst");
  const { stdout } = await host.ask(["tar", "--zstd", "--numeric-owner", "-tvf", packed]);
  assert.match(stdout, /-rw------- 12345\/12346 +7 .* 12345-alice-2026-11-22\/mail\/box/);
  assert.equal(existsSync(join(base, ".archive/12345-alice-2026-11-22")), false);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : assert.fail("no port");
}
