import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import type { RunResult } from "../../../src/core/service/service.ts";
import { Away } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { rowOf } from "../../../src/services/kea/row.ts";
import { kea } from "../../../src/services/kea.ts";
import { type RunningKea, startKea } from "../../servers/kea.ts";
import { type Postgres, startPostgres } from "../../servers/postgres.ts";
import { anything } from "../../services/hostile.ts";
import { sceneOn, sorted } from "../../services/scene.ts";

const a = { mac: "02:00:00:00:00:0a", ip: "10.9.0.10", name: "pc-a", classes: ["staff", "printer"] };
const b = { mac: "02:00:00:00:00:0b", ip: "10.9.0.11" };
/** The reason for which a row is held. */
const whyOf = (result: RunResult, key: string): string => result?.held?.find((one) => one.key === key)?.why ?? "";
const well = { refused: [], held: [], serving: true };

let postgres: Postgres;
const database = () => ({ type: "postgresql", name: "kea", user: "postgres", host: postgres.folder });
const setup = ({ socket }: RunningKea) => ({ socket, database: postgres.connection, psql: [postgres.psql] as const });

before(async () => {
  postgres = await startPostgres("kea");
  const words = ["db-init", "pgsql", "-u", "postgres", "-n", "kea", "-h", postgres.folder, "-p", "none"];
  await promisify(execFile)("kea-admin", words);
});
after(() => postgres?.[Symbol.asyncDispose]());

test("rows in Kea's database are served at the next packet, without a command", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  const on = sceneOn(kea(setup(daemon)), realMachine());
  assert.deepEqual(await on.run({ a, b }, { whole: true }), well);
  assert.deepEqual(await daemon.lease(a.mac), { ip: a.ip, hostname: a.name });

  await on.run({ a: { ...a, ip: "10.9.0.20", name: "renamed" }, b });
  assert.deepEqual(await daemon.lease(a.mac), { ip: "10.9.0.20", hostname: "renamed" });
  await on.run({ a: { ...a, ip: b.ip }, b: { ...b, ip: "10.9.0.20" } });
  assert.equal((await daemon.lease(a.mac))?.ip, b.ip);
  assert.equal((await daemon.lease(b.mac))?.ip, "10.9.0.20");
  await on.run({ a: { ...a, ip: b.ip } });
  assert.match((await daemon.lease(b.mac))?.ip ?? "", /^10\.9\.200\./);
  assert.doesNotMatch(daemon.log(), /config-set|config-write/);

  // A hand edit and a crash of Kea.
  await postgres.sql("UPDATE hosts SET ipv4_address = ipv4_address + 5, dhcp4_boot_file_name = 'evil'");
  assert.deepEqual(await on.observe(), [{ ...a, ip: "10.9.0.16", "boot-file-name": "evil" }]);
  await daemon.kill("SIGKILL");
  await assert.rejects(on.run({ a: { ...a, ip: b.ip }, b }), Away);
  await daemon.start();
  assert.deepEqual(await on.run({ a, b }, { whole: true, interrupted: true }), well);
  assert.deepEqual(await on.observe(), [a, b]);
  assert.deepEqual(await on.run({ a, b }, { whole: true }), well);
  await on.run({}, { whole: true });
  assert.equal(await postgres.sql("SELECT count(*) FROM hosts"), "0");
});

test("foreign reservations in the database stay, and so does a client's other family", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  await postgres.sql(`INSERT INTO hosts (dhcp_identifier, dhcp_identifier_type, dhcp4_subnet_id, dhcp6_subnet_id, ipv4_address)
    VALUES ('\\x02000000000a', 0, 7, 3, ${(10 << 24) + (9 << 16) + 99}), ('\\x01020304', 3, 7, NULL, ${(10 << 24) + (9 << 16) + 11})`);
  const on = sceneOn(kea(setup(daemon)), realMachine());
  const c = { mac: "02:00:00:00:00:0c", ip: "10.9.0.12" };
  const result = await on.run({ a, b, c }, { whole: true });
  assert.deepEqual(result?.held?.map(({ key }) => key).sort(), ["a", "b"]);
  assert.match(whyOf(result, "b"), /10\.9\.0\.11 is reserved for client-id 01:02:03:04/);
  assert.equal((await daemon.lease(c.mac))?.ip, c.ip);
  on.adopt(a.mac);
  on.adopt("client-id 01:02:03:04");
  assert.deepEqual(await on.run({ a, b, c }, { whole: true }), well);
  assert.deepEqual(
    (await on.observe()).map(({ ip }) => ip),
    [a.ip, b.ip, c.ip],
  );
  assert.equal(
    await postgres.sql("SELECT count(*) FROM hosts WHERE dhcp6_subnet_id = 3 AND dhcp4_subnet_id IS NULL"),
    "1",
  );
  await postgres.sql("DELETE FROM hosts");
});

test("a row refused by the database delays no other", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  await postgres.sql("ALTER TABLE hosts ADD CONSTRAINT campus CHECK (hostname <> 'router')");
  try {
    const on = sceneOn(kea(setup(daemon)), realMachine());
    const result = await on.run({ a, b, wrong: { mac: "02:00:00:00:00:0d", ip: "10.9.0.13", name: "router" } });
    assert.deepEqual(
      result?.refused?.map(({ key }) => key),
      ["wrong"],
    );
    assert.match(result?.refused?.[0]?.why ?? "", /campus/);
    assert.deepEqual(await on.observe(), [a, b]);
    await on.run({});
  } finally {
    await postgres.sql("ALTER TABLE hosts DROP CONSTRAINT campus");
  }
});

test("a database that does not answer is away, with its own message", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  const unreachable = "host=127.0.0.1 port=1 dbname=kea";
  const on = sceneOn(kea({ ...setup(daemon), database: unreachable }), realMachine());
  await assert.rejects(on.run({ a }), {
    name: "Away",
    message: /^PostgreSQL does not answer: connection to server at "127\.0\.0\.1", port 1 failed: Connection refused/,
  });
});

test("reservations that were ours in the configuration move into the database", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  const on = sceneOn(kea({ socket: daemon.socket }), realMachine());
  await on.run({ a, b }, { whole: true });
  const moved = sceneOn(kea(setup(daemon)), realMachine());
  moved.adopt(a.mac);
  moved.adopt(b.mac);
  assert.deepEqual(await moved.run({ a: { ...a, ip: "10.9.0.30" }, b }, { whole: true }), well);
  assert.equal(await postgres.sql("SELECT count(*) FROM hosts"), "2", "also the one whose row is as it was");
  assert.doesNotMatch(JSON.stringify(await daemon.command("config-get")), /02:00:00:00:00:0[ab]/);
  assert.equal((await daemon.lease(a.mac))?.ip, "10.9.0.30");
  await moved.run({});
  assert.deepEqual(await moved.observe(), []);
});

test("DHCPv6 reservations by MAC address and by DUID are rows of the database", async () => {
  await using daemon = await startKea({ "hosts-database": database() }, { family: 6 });
  const six = { mac: a.mac, ip: "2001:db8:9::a", name: "pc-a" };
  const on = sceneOn(kea({ ...setup(daemon), family: 6 }), realMachine());
  assert.deepEqual(await on.run({ six }, { whole: true }), well);
  assert.equal((await daemon.lease(a.mac))?.ip, six.ip);
  await on.run({ six: { ...six, ip: "2001:db8:9::b" } });
  assert.deepEqual(await on.observe(), [{ ...six, ip: "2001:db8:9::b" }]);

  const byDuid = sceneOn(kea({ ...setup(daemon), family: 6, by: "duid", select: () => undefined }), realMachine());
  const other = { duid: "00:03:00:01:02:00:00:00:00:0b", ip: "2001:db8:9::c", classes: ["staff"] };
  assert.deepEqual(await byDuid.run({ other }, { whole: true }), well);
  const taken = await byDuid.run({ other: { ...other, ip: "2001:db8:9::b" } });
  assert.match(whyOf(taken, "other"), /reserved for hw-address 02:00:00:00:00:0a, which trigger did not write/);
  await byDuid.run({});
  await on.run({});
  assert.equal(await postgres.sql("SELECT count(*) FROM hosts, ipv6_reservations"), "0");
});

test("hostile values put only the given rows into the database", async () => {
  await using daemon = await startKea({ "hosts-database": database() });
  const on = sceneOn(kea(setup(daemon)), realMachine());
  const rows = new Map<string, object>();
  const hostile = (good: string, row: (value: string, n: number) => object): void => {
    for (const [n, value] of fc.sample(anything(good), 300).entries()) {
      const read = rowOf(4, "mac").safeParse(row(value, n)).data;
      if (read && "mac" in read && !rows.has(read.mac)) rows.set(read.mac, read);
    }
  };
  hostile(a.mac, (mac) => ({ mac, ip: a.ip }));
  hostile("pc", (name, n) => ({ mac: `0200000001${(256 + n).toString(16).slice(-2)}`, ip: `10.9.1.${n}`, name }));
  hostile("x", (one, n) => ({
    mac: `0200000002${(256 + n).toString(16).slice(-2)}`,
    ip: `10.9.2.${n}`,
    classes: [one],
  }));
  assert.ok(rows.size > 20);
  await on.run(Object.fromEntries(rows));
  assert.deepEqual(await on.observe(), sorted(rows.values()));
  await on.run({});
  assert.equal(await postgres.sql("SELECT count(*) FROM hosts"), "0");
});
