import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "../../src/core/util/errors.ts";
import { dryMachine } from "../../src/machines/dry.ts";
import { configuration } from "../../src/services/kea/config.ts";
import { acceptedMoves, linked, type PlacedMove } from "../../src/services/kea/moves.ts";
import { rowOf } from "../../src/services/kea/row.ts";
import { quoted, replaceHosts, selectHosts } from "../../src/services/kea/sql.ts";
import { kea } from "../../src/services/kea.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, hostOn, rowsOf, scene, selected, tableOf } from "./scene.ts";
import { scriptedKea } from "./scripted-kea.ts";

const a = { mac: "02:00:00:00:00:0a", ip: "10.9.0.10", name: "pc-a" };
const b = { mac: "02:00:00:00:00:0b", ip: "10.9.0.11", name: "pc-b" };

conform(
  "kea",
  kea(),
  [
    { ...a, classes: ["staff"] },
    { mac: "02-00-00-00-00-0B", ip: "10.9.0.11" },
  ],
  {
    machine: () => scriptedKea().machine,
    network: "10.9.0",
  },
);

const rows = fc.array(
  fc.record({ mac: anything(a.mac), ip: anything(a.ip), name: anything("pc"), classes: fc.array(anything("staff")) }),
);

for (const hostCommands of [false, true]) {
  test(`Kea ${hostCommands ? "with" : "without"} host commands has exactly the accepted values`, async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const daemon = scriptedKea({ hostCommands });
        const table = kea();
        const good = given.flatMap((row) => rowOf(4, "mac").safeParse(row).data ?? []) as (typeof a & {
          classes: string[];
        })[];
        const [one] = good;
        await scene(table, { machine: daemon.machine }).run(one ? { one } : {}, { whole: true });
        const wanted = one && {
          "hw-address": one.mac,
          "ip-address": one.ip,
          hostname: one.name,
          ...(one.classes && { "client-classes": one.classes }),
        };
        assert.deepEqual(daemon.reservations(), wanted ? [wanted] : []);
      }),
    );
  });
}

/** The statements of a text for psql: a reader of its own, which knows quotes and nothing else. */
function statements(text: string): string[] {
  const found = [""];
  let quoted = false;
  for (const letter of text.replace(/^\\set QUIET on\n/, "")) {
    if (letter === "'") quoted = !quoted; // a doubled one opens again what it closed
    found.push(found.pop() + letter);
    if (letter === ";" && !quoted) found.push("");
  }
  assert.equal(found.pop()?.trim(), "");
  return found.map((one) => one.trim());
}

test("psql gets the intended statements and no others, for any values", () => {
  fc.assert(
    fc.property(rows, (given) => {
      const good = given.flatMap((row) => rowOf(4, "mac").safeParse(row).data ?? []) as (typeof a)[];
      const moves = good.map(
        ({ mac, ...after }): PlacedMove => ({ name: mac, before: undefined, after, to: { id: 7, reservation: {} } }),
      );
      const kinds = statements(replaceHosts(moves, 4, "hw-address", { only: "done" })).map((one) => one.split(" ")[0]);
      const all = moves.length > 0 ? ["UPDATE", "DELETE", "INSERT"] : [];
      assert.deepEqual(kinds, ["BEGIN;", "SET", "SELECT", ...all, "COMMIT;"]);
    }),
  );
});

test("only octets become parts of a statement, and no quote ends a text", () => {
  fc.assert(
    fc.property(anything("02:00:00:00:00:0a"), (name) => {
      if (/^[0-9a-f]{2}(:[0-9a-f]{2})*$/.test(name)) return;
      assert.throws(() => selectHosts(4, "hw-address", { names: [name] }));
    }),
  );
  assert.equal(quoted("it's"), "'it''s'");
  assert.equal(quoted("a\\'b"), "E'a\\\\''b'");
});

test("all changes of a run are one tested configuration, written after it is set", async () => {
  const daemon = scriptedKea();
  const on = scene(kea(), { machine: daemon.machine });
  await on.run({ a }, { whole: true });
  daemon.raw();
  await on.run({ a: { ...a, ip: b.ip }, b: { ...b, ip: a.ip } });
  const told = daemon.raw().map(({ command }) => command);
  assert.deepEqual(told.slice(-3), ["config-test", "config-set", "config-write"]);
  assert.equal(told.filter((command) => command === "config-set").length, 1);
  assert.deepEqual(daemon.has().sort(), [`${a.mac} ${b.ip}`, `${b.mac} ${a.ip}`]);
});

test("a refused row is named and retained; a swap beside it is applied", async () => {
  const daemon = scriptedKea();
  const on = scene(kea(), { machine: daemon.machine });
  const others = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [
      `k${n}`,
      { mac: `02:00:00:00:01:${n}`, ip: `10.9.1.${n}`, name: n % 7 === 3 ? `bad${n}` : `pc${n}` },
    ]),
  );
  await on.run({ a, b }, { whole: true });
  const result = await on.run({ ...others, a: { ...a, ip: b.ip }, b: { ...b, ip: a.ip } });
  assert.deepEqual(result?.refused?.map(({ key }) => key).sort(), ["k10", "k17", "k3"]);
  assert.match(result?.refused?.[0]?.why ?? "", /hostname 'bad/);
  assert.equal(daemon.has().length, 19);
  assert.ok(daemon.has().includes(`${a.mac} ${b.ip}`) && daemon.has().includes(`${b.mac} ${a.ip}`));
});

test("a dry run tests the configuration, sets nothing, and notes the changes", async () => {
  const daemon = scriptedKea();
  const machine = dryMachine(daemon.machine);
  const given = rowsOf(new Map([["a", a]]));
  await tableOf(kea()).run({ rows: given, changes: undefined, interrupted: false }, hostOn(machine));
  const told = daemon.raw().map(({ command }) => command);
  assert.deepEqual(told, ["list-commands", "config-get", "config-test"]);
  assert.match(JSON.stringify(machine.noted()), /config-set.*config-write/);
  const [set] = machine.noted().commands;
  assert.deepEqual(
    set?.shown,
    ["config-set", `+ ${a.mac} {"ip":"${a.ip}","name":"${a.name}"}`],
    "what it would change",
  );
});

test("a refusal of even the running configuration blames no row", async () => {
  const daemon = scriptedKea();
  daemon.failing.set("config-test", "no such interface: eth7");
  const on = scene(kea(), { machine: daemon.machine });
  await assert.rejects(on.run({ a }, { whole: true }), /refused even without any change: no such interface: eth7/);
  assert.deepEqual(daemon.told(), []);
});

test("a configuration that passes but cannot be set is rolled back", async () => {
  const daemon = scriptedKea();
  daemon.failing.set("config-set", "cannot open socket");
  const on = scene(kea(), { machine: daemon.machine });
  await assert.rejects(on.run({ a }, { whole: true }), /Kea's config-set: cannot open socket/);
  assert.deepEqual(daemon.told(), ["config-set", "config-set"]);
});

test("an unwritten change is pending, and written by the next run", async () => {
  const daemon = scriptedKea();
  daemon.failing.set("config-write", "Unable to open file");
  const on = scene(kea(), { machine: daemon.machine });
  await assert.rejects(
    on.run({ a }, { whole: true }),
    /applied until Kea restarts, and not saved: config-write: Unable to open file/,
  );
  daemon.failing.clear();
  daemon.told();
  await on.run({ a }, { interrupted: true });
  assert.deepEqual(daemon.told(), ["config-write"]);
  await on.run({ a }, { whole: true });
  assert.deepEqual(daemon.told(), []);
});

for (const database of [false, true]) {
  const where = database ? "its database" : "its configuration";
  const write = database ? [] : ["config-write"];

  test(`host commands send Kea one change alone, in ${where}`, async () => {
    const daemon = scriptedKea({ hostCommands: true, database });
    const on = scene(kea(), { machine: daemon.machine });
    await on.run({ a, b }, { whole: true });
    assert.deepEqual(daemon.told(), ["reservation-add", "reservation-add", ...write]);
    await on.run({ a: { ...a, ip: b.ip }, b: { ...b, ip: a.ip } });
    assert.deepEqual(daemon.told(), [
      "reservation-del",
      "reservation-del",
      "reservation-add",
      "reservation-add",
      ...write,
    ]);
    assert.deepEqual(daemon.has().sort(), [`${a.mac} ${b.ip}`, `${b.mac} ${a.ip}`]);
    await on.run({ b: { ...b, ip: a.ip } });
    assert.deepEqual(daemon.has(), [`${b.mac} ${a.ip}`]);
    daemon.told();
    await on.run({ b: { ...b, ip: a.ip } }, { whole: true });
    assert.deepEqual(daemon.told(), []);
  });

  test(`foreign reservations in ${where} stay, and a refused row is retained`, async () => {
    const daemon = scriptedKea({ hostCommands: true, database });
    const on = scene(kea(), { machine: daemon.machine });
    daemon.reservations().push({ "hw-address": "02:00:00:00:00:ff", "ip-address": b.ip });
    const first = await on.run({ a, b }, { whole: true });
    assert.match(first?.held?.[0]?.why ?? "", /10\.9\.0\.11 is reserved for 02:00:00:00:00:ff/);
    const then = await on.run({ a: { ...a, name: "bad" }, b });
    assert.equal(then?.refused?.[0]?.key, "a");
    assert.deepEqual(daemon.has().sort(), [`${a.mac} ${a.ip}`, `02:00:00:00:00:ff ${b.ip}`]);
  });
}

test("an own reservation with another's address, set by hand, gives it up", async () => {
  const daemon = scriptedKea();
  const on = scene(kea(), { machine: daemon.machine });
  await on.run({ a, b }, { whole: true });
  const edited = daemon.reservations().find((one) => one["hw-address"] === a.mac);
  assert.ok(edited);
  edited["ip-address"] = "10.9.0.50";
  await on.run({ a, b: { ...b, ip: "10.9.0.50" } });
  assert.deepEqual(daemon.has().sort(), [`${a.mac} ${a.ip}`, `${b.mac} 10.9.0.50`]);
});

test("with host commands and no database a first generation is one configuration", async () => {
  const daemon = scriptedKea({ hostCommands: true });
  const many = Array.from(
    { length: 300 },
    (_, n) =>
      [`k${n}`, { mac: `0200000001${(n + 256).toString(16).slice(-2)}`, ip: `10.9.${n >> 8}.${n & 255}` }] as const,
  );
  await scene(kea(), { machine: daemon.machine }).run(Object.fromEntries(many.slice(0, 256)), { whole: true });
  assert.deepEqual(daemon.told(), ["config-set", "config-write"]);
});

test("a reservation is put into the narrowest subnet, and all else stays", () => {
  const given = {
    Dhcp4: {
      "valid-lifetime": 600,
      reservations: [{ "client-id": "0102", hostname: "x" }],
      subnet4: [
        {
          id: 1,
          subnet: "10.0.0.0/8",
          reservations: [{ "hw-address": a.mac, "ip-address": "10.9.0.9" }],
          "t1-percent": 0.5,
        },
      ],
      "shared-networks": [
        { name: "wifi", relay: {}, subnet4: [{ id: 2, subnet: "10.9.0.0/16" }] },
        { name: "off", "reservations-in-subnet": false, subnet4: [{ id: 3, subnet: "10.8.0.0/16" }] },
      ],
    },
    hash: "0123",
  };
  const config = configuration(given, 4, "hw-address", "subnet");
  assert.deepEqual(config.placeOf("10.9.0.7"), { id: 2 });
  assert.deepEqual(config.placeOf("10.1.0.7"), { id: 1 });
  assert.match(JSON.stringify(config.placeOf("10.8.0.7")), /10\.8\.0\.0\/16.*reservations-in-subnet/);
  assert.match(JSON.stringify(config.placeOf("192.0.2.7")), /in no subnet/);
  assert.deepEqual(config.reservations, [
    ["client-id 01:02", { name: "x", subnet: 0 }],
    [a.mac, { ip: "10.9.0.9", subnet: 1 }],
  ]);
  const reservation = { "hw-address": a.mac, "ip-address": "10.9.0.9" };
  const wanted = structuredClone(given.Dhcp4) as Record<string, unknown> & typeof given.Dhcp4;
  wanted.subnet4 = [{ id: 1, subnet: "10.0.0.0/8", reservations: [], "t1-percent": 0.5 }];
  wanted["shared-networks"][0] = Object.assign(
    { name: "wifi", relay: {} },
    { subnet4: [{ id: 2, subnet: "10.9.0.0/16", reservations: [reservation] }] },
  );
  assert.deepEqual(config.with(new Map([[a.mac, { id: 2, reservation }]])), { Dhcp4: wanted });
});

test("changes that pass on an address stay together", () => {
  const move = (name: string, from?: string, to?: string): PlacedMove => ({
    name,
    before: from === undefined ? undefined : { ip: from },
    after: to === undefined ? undefined : { ip: to },
    to: undefined,
  });
  const groups = linked([
    move("a", "1", "2"),
    move("x", undefined, "9"),
    move("b", "2", "3"),
    move("c", "3"),
    move("y", "8", "8"),
  ]);
  assert.deepEqual(
    groups
      .map((group) =>
        group
          .map(({ name }) => name)
          .sort()
          .join(""),
      )
      .sort(),
    ["abc", "x", "y"],
  );
});

test("changes that fail a check are found among any, and the others pass", async () => {
  const failing = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(failing, fc.boolean(), async (bad, named) => {
      const moves = bad.map(
        (_, n): PlacedMove => ({ name: `n${100 + n}`, before: undefined, after: { ip: `${n}` }, to: undefined }),
      );
      const refused = new Map<string, string>();
      let checks = 0;
      const check = async (some: readonly PlacedMove[]) => {
        checks += 1;
        const first = some.find(({ name }) => bad[Number(name.slice(1)) - 100]);
        return first && (named ? `'${first.name}' is refused` : "refused");
      };
      const good = await acceptedMoves(moves, check, refused);
      const wanted = moves.filter((_, n) => !bad[n]).map(({ name }) => name);
      if (named) assert.ok(checks <= 2 + 2 * refused.size, `${checks} checks for ${refused.size}`);
      if (checks < 100) assert.deepEqual(good.map(({ name }) => name).sort(), wanted.sort());
      assert.equal(good.length + refused.size, moves.length);
    }),
  );
});

test("the default selects the machines of RFC 2307 of its family", () => {
  const attributes = { macaddress: ["AA:BB:CC:DD:EE:FF"], iphostnumber: ["10.9.0.10", "2001:db8::7"] };
  const machine = entry(["ieee802Device", "ipHost"], "pc7.campus.example", attributes);
  assert.deepEqual(selected(kea(), machine), { mac: "AA:BB:CC:DD:EE:FF", ip: "10.9.0.10", name: "pc7" });
  assert.deepEqual(selected(kea({ family: 6 }), machine), { mac: "AA:BB:CC:DD:EE:FF", ip: "2001:db8::7", name: "pc7" });
  assert.equal(selected(kea(), entry(["person"], "x")), undefined);
});

test("a wrong option is explained before anything runs", () => {
  const wrong = (options: object, what: RegExp) =>
    assert.throws(
      () => kea(options),
      (error) => error instanceof UserError && what.test(error.message),
    );
  wrong({ family: 5 }, /family: is not 4 \(kea-dhcp4\) or 6/);
  wrong({ sokcet: "/x" }, /sokcet.*socket/);
  wrong({ socket: "kea4" }, /socket: is not an absolute path/);
  wrong({ database: "dbname=kea password=secret" }, /database: has a password/);
  wrong({ database: "postgresql://kea:secret@db/kea" }, /database: has a password/);
  wrong({ by: "duid" }, /give a select/);
  wrong({ on: { dhcp2: { family: 6 } } }, /same on every host/);
  wrong({ where: "here" }, /where: is no place/);
});

test("a Kea that could never use the reservations is an error", async () => {
  const { machine } = scriptedKea();
  await assert.rejects(scene(kea({ where: "global" }), { machine }).run({}), /reservations-global/);
  await assert.rejects(scene(kea({ database: "dbname=kea" }), { machine }).run({}), /no PostgreSQL database/);
  await assert.rejects(scene(kea({ freeLeases: true }), { machine }).run({}), /libdhcp_lease_cmds/);
});
