import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import type { RunResult } from "../../../src/core/service/service.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { dhcpRow, iscDhcp } from "../../../src/services/isc-dhcp.ts";
import { type Dhcpd, startDhcpd } from "../../servers/dhcpd.ts";
import { withoutDhcpd } from "../../servers/installed.ts";
import { anyClient, oddNames } from "../../services/hostile.ts";
import { distinct, sceneOn, sorted } from "../../services/scene.ts";
import { until } from "../../until.ts";

// ISC dhcpd over OMAPI, with real clients: needs isc-dhcp-server, udhcpc and the right to make network namespaces.

const skip = withoutDhcpd();

type Rows = Record<string, { mac: string; ip: string; name: string }>;

/** A dhcpd with the service that is to drive it. */
async function scene(t: TestContext, differing: object = {}) {
  const dhcpd = await startDhcpd();
  t.after(() => dhcpd[Symbol.asyncDispose]());
  const { keyFile, leases } = dhcpd;
  const omapi = { keyFile, leases, command: dhcpd.inside("omshell"), ...differing };
  const service = iscDhcp({
    omapi,
    path: join(dhcpd.folder, "hosts.conf"),
    within: false,
    check: false,
    reload: false,
  });
  const { run, observe, adopt } = sceneOn(service, realMachine());
  return {
    dhcpd,
    adopt,
    observe,
    run: async (rows: Rows, how?: { whole?: boolean; interrupted?: boolean }): Promise<Exclude<RunResult, void>> =>
      (await run(rows, how)) ?? {},
  };
}

const mac = (number: number) => `02:00:00:00:00:${number.toString(16).padStart(2, "0")}`;
const pc = (number: number, more: Partial<Rows[string]> = {}) => ({
  ...{ mac: mac(number), ip: `10.77.0.${number}`, name: `pc${number}` },
  ...more,
});
const well = { refused: [], held: [], serving: true };

/** The hosts that dhcpd says it has for some MAC addresses, asked as an administrator asks. */
function served({ omshell }: Dhcpd, ...numbers: number[]): string[] {
  return numbers.map((number) => {
    const said = omshell(`new host\nset hardware-address = ${mac(number)}\nset hardware-type = 1\nopen`);
    return /not found/.test(said) ? "none" : (/^name = "(.*)"$/m.exec(said)?.[1] ?? "no name");
  });
}

test("a client gets changes without a restart of dhcpd, and after one", { skip }, async (t) => {
  const { dhcpd, run, observe } = await scene(t);
  assert.deepEqual(await run({ a: pc(10), b: pc(11) }, { whole: true }), { ...well, refused: [] });
  assert.deepEqual(await dhcpd.lease(mac(10)), { ip: "10.77.0.10", hostname: "pc10" });
  const pid = readFileSync(dhcpd.pidFile, "utf8");

  assert.deepEqual(await run({ a: pc(10, { ip: "10.77.1.10" }), b: pc(11) }), well);
  assert.deepEqual(await dhcpd.lease(mac(10)), { ip: "10.77.1.10", hostname: "pc10" });

  const renamed = { a: pc(10, { ip: "10.77.1.10", name: "printer" }), b: pc(11), c: pc(12) };
  assert.deepEqual(await run(renamed), well);
  assert.deepEqual(await dhcpd.lease(mac(10)), { ip: "10.77.1.10", hostname: "printer" });
  assert.deepEqual(await dhcpd.lease(mac(12)), { ip: "10.77.0.12", hostname: "pc12" });
  assert.equal(readFileSync(dhcpd.pidFile, "utf8"), pid);

  await dhcpd.stop("SIGKILL");
  await dhcpd.start();
  assert.deepEqual(served(dhcpd, 10, 11, 12), ["printer", "pc11", "pc12"]);
  assert.deepEqual(await dhcpd.lease(mac(10)), { ip: "10.77.1.10", hostname: "printer" });
  assert.deepEqual(await run({ a: renamed.a, c: renamed.c }), well);
  assert.deepEqual(served(dhcpd, 10, 11, 12), ["printer", "none", "pc12"]);
  assert.deepEqual(await observe(), sorted([renamed.a, renamed.c]));
});

test("two machines swap their names and their addresses in one run", { skip }, async (t) => {
  const { dhcpd, run } = await scene(t);
  await run({ a: pc(10), b: pc(11) }, { whole: true });
  const swapped = { a: pc(10, { name: "pc11", ip: "10.77.0.11" }), b: pc(11, { name: "pc10", ip: "10.77.0.10" }) };
  assert.deepEqual(await run(swapped), well);
  assert.deepEqual(served(dhcpd, 10, 11), ["pc11", "pc10"]);
  assert.equal((await dhcpd.lease(mac(11)))?.ip, "10.77.0.10");
  assert.deepEqual(await run({ a: pc(11), b: pc(10) }), well);
  assert.deepEqual(served(dhcpd, 10, 11), ["pc10", "pc11"]);
});

test("a full run repairs exactly the hand edits, and the next sends dhcpd nothing", {
  skip,
}, async (t) => {
  const { dhcpd, run, observe } = await scene(t);
  const rows = { a: pc(10), b: pc(11), c: pc(12) };
  await run(rows, { whole: true });
  const byMac = (number: number) => `new host\nset hardware-address = ${mac(number)}\nset hardware-type = 1\n`;
  dhcpd.omshell(`${byMac(10)}open\nset ip-address = 10.77.9.9\nupdate`);
  dhcpd.omshell(`${byMac(11)}open\nremove`);
  dhcpd.omshell(`${byMac(99)}set name = "guest"\nset ip-address = 10.77.9.1\ncreate`);
  const foreign = { mac: mac(99), ip: "10.77.9.1", name: "guest" };
  assert.deepEqual(await observe(), sorted([pc(10, { ip: "10.77.9.9" }), pc(12), foreign]));
  assert.deepEqual(await run(rows, { whole: true }), well);
  assert.deepEqual(await observe(), sorted([...Object.values(rows), foreign]));
  const journal = readFileSync(dhcpd.leases, "utf8");
  assert.deepEqual(await run(rows, { whole: true }), { refused: [], held: [], serving: true });
  assert.equal(readFileSync(dhcpd.leases, "utf8"), journal);
});

test("a foreign host stays, its row is held or refused, and others are applied", {
  skip,
}, async (t) => {
  const { dhcpd, adopt, run } = await scene(t);
  await dhcpd.stop();
  dhcpd.configure(`host gateway { hardware ethernet ${mac(1)}; fixed-address 10.77.0.254; }`);
  await dhcpd.start();
  dhcpd.omshell(
    `new host\nset name = "guest"\nset hardware-address = ${mac(99)}\nset hardware-type = 1\nset ip-address = 10.77.9.1\ncreate`,
  );
  const rows = {
    a: pc(10),
    guest: pc(99),
    static: pc(1),
    name: pc(20, { name: "gateway" }),
    other: pc(21, { name: "guest" }),
  };
  for (const whole of [true, false]) {
    const { refused = [], held = [] } = await run(rows, { whole });
    const there = `which is not in ${dhcpd.leases}: take it out of dhcpd's configuration`;
    assert.match(
      held[0]?.why ?? "",
      /02:00:00:00:00:63 has \{"ip":"10\.77\.9\.1","name":"guest"\} there, which trigger did not write.*trigger adopt/,
    );
    assert.deepEqual(
      new Map(refused.map(({ key, why }) => [key, why])),
      new Map([
        ["static", `dhcpd says: key conflict: it has host gateway with ${mac(1)} and 10.77.0.254, ${there}`],
        ["name", `dhcpd says: already exists: it has host gateway with ${mac(1)} and 10.77.0.254, ${there}`],
        ["other", `dhcpd says: already exists: it has host guest with ${mac(99)} and 10.77.9.1`],
      ]),
    );
    assert.deepEqual(served(dhcpd, 10, 99, 1), ["pc10", "guest", "gateway"]);
  }
  adopt(mac(99));
  await run(rows, { whole: true });
  assert.deepEqual(served(dhcpd, 99), ["pc99"]);
});

test("a machine whose new name is refused keeps the old one", { skip }, async (t) => {
  const { dhcpd, run } = await scene(t);
  await run({ a: pc(10) }, { whole: true });
  dhcpd.omshell(`new host\nset name = "guest"\nset hardware-address = ${mac(99)}\nset hardware-type = 1\ncreate`);
  const { refused } = await run({ a: pc(10, { name: "guest" }) });
  assert.match(
    refused?.[0]?.why ?? "",
    /^dhcpd says: already exists: it has host guest with 02:00:00:00:00:63 and no address$/,
  );
  assert.deepEqual(served(dhcpd, 10), ["pc10"]);
});

test("hosts changed by hand are restored to their rows by a change", { skip }, async (t) => {
  const { dhcpd, run } = await scene(t);
  await run({ a: pc(10), b: pc(11), c: pc(12) }, { whole: true });
  for (const name of ["pc10", "pc11", "pc12"]) dhcpd.omshell(`new host\nset name = "${name}"\nopen\nremove`);
  dhcpd.omshell(`new host\nset name = "by-hand"\nset hardware-address = ${mac(11)}\nset hardware-type = 1\ncreate`);
  assert.deepEqual(await run({ a: pc(10, { ip: "10.77.1.10" }), b: pc(11, { ip: "10.77.1.11" }) }), well);
  assert.deepEqual(served(dhcpd, 10, 11, 12), ["pc10", "pc11", "none"]);
});

test("a configured host in place of ours is never changed, on any attempt", {
  skip,
}, async (t) => {
  const { dhcpd, run } = await scene(t);
  await run({ a: pc(10), b: pc(11) }, { whole: true });
  await dhcpd.stop();
  writeFileSync(dhcpd.leases, "");
  dhcpd.configure(`host gateway { hardware ethernet ${mac(10)}; fixed-address 10.77.0.254; }`);
  await dhcpd.start();
  for (const [options, ip] of [
    [{}, "10.77.1.10"],
    [{ interrupted: true }, "10.77.2.10"],
    [{ whole: true }, "10.77.3.10"],
    [{ whole: true }, "10.77.3.10"],
  ] as const) {
    const { refused } = await run({ a: pc(10, { ip }), b: pc(11) }, options);
    assert.match(refused?.[0]?.why ?? "", /it has host gateway with .* and 10\.77\.0\.254, which is not in/);
    assert.deepEqual(served(dhcpd, 10), ["gateway"]);
  }
  assert.deepEqual(served(dhcpd, 11), ["pc11"]);
  await run({ b: pc(11) });
  assert.deepEqual(served(dhcpd, 10, 11), ["gateway", "pc11"]);
  assert.equal((await dhcpd.lease(mac(10)))?.ip, "10.77.0.254");
});

test("after any rows, dhcpd has exactly those and the foreign host, restarted too", {
  skip,
}, async (t) => {
  const { dhcpd, run, observe } = await scene(t);
  const guest = { mac: "02:00:00:ff:ff:ff", ip: "10.77.9.1", name: "guest" };
  dhcpd.omshell(
    `new host\nset name = "guest"\nset hardware-address = ${guest.mac}\nset hardware-type = 1\nset ip-address = ${guest.ip}\ncreate`,
  );
  let intended = 0;
  const clients = fc.array(anyClient("10.77.0"), { minLength: 10, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(clients, fc.boolean(), async (given, whole) => {
      const rows = distinct(
        given.flatMap((one) => dhcpRow().safeParse(one).data ?? []),
        ["mac", "ip", "name"],
      );
      await run({}, { whole });
      assert.deepEqual(await run(rows, { whole }), well);
      intended += Object.keys(rows).length;
      assert.deepEqual(await observe(), sorted([...Object.values(rows), guest]));
    }),
    { numRuns: 12, endOnFailure: true },
  );
  assert.ok(intended > 50, `${intended} rows were meant`);
  const odd = Object.fromEntries(oddNames.map((name, at) => [name, pc(at, { name })]));
  const last = [...Object.values(odd), guest];
  await run({}, { whole: true });
  assert.deepEqual(await run(odd), well);
  await dhcpd.stop("SIGKILL");
  const before = dhcpd.log().length;
  await dhcpd.start();
  assert.doesNotMatch(dhcpd.log().slice(before), /leases line|corrupt|expect/);
  assert.deepEqual(await observe(), sorted(last));
  for (const { mac, name } of last) {
    const said = dhcpd.omshell(`new host\nset hardware-address = ${mac}\nset hardware-type = 1\nopen`);
    assert.match(said, new RegExp(`^name = "${name}"$`, "m"));
  }
});

test("a dhcpd killed during a run is away, and complete after the next run", {
  skip,
}, async (t) => {
  const { dhcpd, run, observe } = await scene(t);
  const rows = Object.fromEntries(Array.from({ length: 240 }, (_, at) => [`k${at}`, pc(at + 10)]));
  const cut = run(rows);
  const away = assert.rejects(cut, { name: "Away", message: /^dhcpd .*(ended the connection|does not answer on .*)$/ });
  await until(() => readFileSync(dhcpd.leases, "utf8").includes("host pc12"));
  await dhcpd.stop("SIGKILL");
  await away;
  await dhcpd.start();
  assert.ok((await observe()).length < 240, "it was killed too late");
  assert.deepEqual(await run(rows, { whole: true, interrupted: true }), well);
  assert.deepEqual(await observe(), sorted(Object.values(rows)));
});

test("a dhcpd that is down, hangs or has another key gives its own error", { skip }, async (t) => {
  const { dhcpd, run } = await scene(t);
  const rows = { a: pc(10) };
  const away = { name: "Away", message: "dhcpd does not answer on 127.0.0.1 port 7911" };
  dhcpd.pause();
  await assert.rejects(run(rows), away);
  dhcpd.resume();
  await dhcpd.stop();
  await assert.rejects(run(rows), away);
  await dhcpd.start();
  assert.deepEqual(await run(rows, { whole: true }), well);

  const key = readFileSync(dhcpd.keyFile, "utf8");
  const other = { a: pc(10), b: pc(11) };
  writeFileSync(dhcpd.keyFile, key.replace(/secret ".*"/, `secret "${Buffer.from("another").toString("base64")}"`));
  await assert.rejects(run(other), {
    name: "Error",
    message: `dhcpd refuses the secret of the key trigger in ${dhcpd.keyFile}`,
  });
  writeFileSync(dhcpd.keyFile, key.replace('"trigger"', '"unknown"'));
  await assert.rejects(run(other), {
    name: "Error",
    message: `dhcpd does not know the key unknown of ${dhcpd.keyFile}`,
  });
  writeFileSync(dhcpd.keyFile, "key");
  await assert.rejects(run(other), /has no key: expected key "name"/);
  rmSync(dhcpd.keyFile);
  await assert.rejects(run(other), { message: `dhcpd requires a key, and ${dhcpd.keyFile} does not exist` });
  assert.deepEqual(served(dhcpd, 11), ["none"]);
});
