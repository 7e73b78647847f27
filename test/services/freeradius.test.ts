import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readRow } from "../../src/core/service/read-row.ts";
import { refusalRemoves } from "../../src/core/service/refusal-removes.ts";
import type { Table } from "../../src/core/service/service.ts";
import { refusedCell } from "../../src/core/stream/cells.ts";
import { Away, Refusal, reason } from "../../src/core/util/errors.ts";
import type { Columns } from "../../src/core/util/json.ts";
import { dryMachine } from "../../src/machines/dry.ts";
import { freeradius, radiusRow } from "../../src/services/freeradius.ts";
import { schemes } from "../../src/services/radius/columns.ts";
import { readUsers, serialIn, usersFile } from "../../src/services/radius/users.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { mirrored } from "../../src/transcriber/mirror/mirror-entry.ts";
import { entryApi } from "../../src/transcriber/tables/entry-api.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, hostOn, quietMachine, rowsOf, scene, selected, tableOf } from "./scene.ts";

const path = "/etc/freeradius/3.0/mods-config/files/authorize";
const nt = "8846F7EAEE8FB117AD06BDD830B7586C";
const alice = { name: "alice", password: `{nt}${nt}`, vlan: "12", reply: { "Session-Timeout": "3600" } };
const phone = { name: "0:11:22:AA:BB:CC", vlan: "phones" };

/** A machine with a FreeRADIUS that serves what it has read. */
function radius(): MemoryMachine & { control: { down: boolean; deaf: number; hups: number } } {
  const machine = quietMachine();
  const control = { down: false, deaf: 0, hups: 0 };
  let served = "";
  machine.program("radmin", ({ arguments: words }) => {
    if (control.down) return { code: 1, stderr: "Failed connecting" };
    if (!words.at(-1)?.startsWith("hup ")) return {};
    control.hups += 1;
    if (control.deaf > 0) control.deaf -= 1;
    else served = machine.text(path) ?? "";
    return {};
  });
  machine.program("radclient", () => {
    const serial = serialIn(served);
    if (control.down || serial === undefined) return { code: 1, stderr: "No reply from server" };
    return { stdout: `Sent\nReceived Access-Challenge Id 1\n\tReply-Message = "${serial}"\n` };
  });
  return Object.assign(machine, { control });
}

conform("freeradius", freeradius(), [alice, { name: "a@b.example", password: "{CLEARTEXT}x y" }], {
  machine: radius,
});

test("each user and device is an entry, behind that of the probe", () => {
  const rows = [alice, phone].map((row) => radiusRow().parse(row));
  const { text, keyOf } = usersFile(
    rows.map((row) => [row.name, row] as const),
    "AA-BB-CC-DD-EE-FF",
    "0badcafe",
  );
  assert.equal(
    text.slice(text.indexOf("alice")),
    `alice NT-Password := 0x${nt.toLowerCase()}
\tSession-Timeout = '3600',
\tTunnel-Type = VLAN,
\tTunnel-Medium-Type = IEEE-802,
\tTunnel-Private-Group-Id = '12'
00-11-22-AA-BB-CC Cleartext-Password := '00-11-22-AA-BB-CC', EAP-Message !* ANY, FreeRADIUS-Proxied-To !* ANY
\tTunnel-Type = VLAN,
\tTunnel-Medium-Type = IEEE-802,
\tTunnel-Private-Group-Id = 'phones'
`,
  );
  assert.deepEqual(
    [1, 3, 4, 8, 9, 12].map((line) => keyOf(line)),
    [undefined, undefined, "alice", "alice", "00:11:22:aa:bb:cc", "00:11:22:aa:bb:cc"],
  );
});

test("a HUP that is ignored is sent again, until the content is served", async () => {
  const machine = radius();
  const { run } = scene(freeradius(), { machine });
  await run({ a: alice });
  machine.control.deaf = 2;
  machine.control.hups = 0;
  await run({ a: { ...alice, vlan: "13" } });
  assert.equal(machine.control.hups, 3);
  await run({ a: { ...alice, vlan: "13" } }, { whole: true });
  assert.equal(machine.control.hups, 3);
});

test("a server that is away reads the new file when it starts", async () => {
  const machine = radius();
  const { run } = scene(freeradius(), { machine });
  machine.control.down = true;
  await assert.rejects(run({ a: alice }), Away);
  assert.match(machine.text(path) ?? "", /^alice /m);
  let checks = 0;
  machine.program("env", () => ({ code: ++checks && 0 }));
  await assert.rejects(run({ a: alice }), Away);
  assert.equal(checks, 0);
  machine.control.down = false;
  await run({ a: alice });
});

test("a dry run notes the file and the command, and sends none", async () => {
  const machine = dryMachine(radius());
  const service = tableOf(freeradius());
  const rows = rowsOf(new Map([["a", service.row.parse(alice) as Columns]]));
  await service.run({ rows, changes: undefined, interrupted: false }, hostOn(machine));
  const { files, commands } = machine.noted();
  assert.match(files.find((file) => file.path === path)?.after ?? "", /^alice /m);
  assert.deepEqual(
    commands.map(({ command }) => "socket" in command || command.at(-1)),
    ["hup files"],
  );
});

test("a text changed by hand is replaced with a new serial", async () => {
  const machine = radius();
  const { run } = scene(freeradius(), { machine });
  await run({ a: alice });
  const text = machine.text(path) ?? "";
  await machine.files.write(path, `${text}mallory Auth-Type := Accept\n`);
  machine.control.hups = 0;
  await run({ a: alice }, { whole: true });
  assert.equal(machine.control.hups, 1);
  assert.notEqual(serialIn(machine.text(path) ?? ""), serialIn(text));
  assert.doesNotMatch(machine.text(path) ?? "", /mallory/);
});

test("a refused row is retained, but not after a change of its password", async () => {
  const machine = radius();
  machine.program("env", ({ arguments: words }) => {
    const name = words
      .find((word) => word.startsWith("TRIGGER_STAGED="))
      ?.split("/")
      .at(-1);
    const lines = (machine.text(`${words[words.indexOf("-C") + 1]}/${name}`) ?? "").split("\n");
    const wrong = lines.findIndex((line) => line.includes("'refuse me'"));
    return wrong < 0 ? {} : { code: 1, stdout: `Error: ./authorize[${wrong + 1}]: Parse error (reply)` };
  });
  const { run } = scene(freeradius(), { machine });
  const bob = { name: "bob", password: "{CLEARTEXT}old" };
  const reply = { "Filter-Id": "refuse me" };
  await run({ a: alice, b: bob });
  const kept = await run({ a: alice, b: { ...bob, reply } });
  assert.deepEqual(kept?.refused, [{ key: "b", why: "Parse error (reply)" }]);
  assert.match(machine.text(path) ?? "", /^bob .*'old'$/m);
  const gone = await run({ a: alice, b: { ...bob, password: "{CLEARTEXT}new", reply } });
  assert.deepEqual(gone?.refused, [{ key: "b", why: "Parse error (reply)", gone: true }]);
  assert.doesNotMatch(machine.text(path) ?? "", /^bob /m);
  assert.match(machine.text(path) ?? "", /^alice /m);
});

test("a server that serves other content fails the run", async () => {
  const machine = radius();
  const { run } = scene(freeradius({ reload: ["true"] }), { machine });
  await assert.rejects(run({ a: alice }), (error) => /FreeRADIUS serves nothing that answers/.test(reason(error)));
});

test("the text is read back as written; a foreign entry has a name alone", () => {
  const rows = [alice, phone].map((row) => radiusRow().parse(row));
  const { text } = usersFile(
    rows.map((row) => [row.name, row] as const),
    "aa:bb:cc:dd:ee:ff",
    "0badcafe",
  );
  const found = readUsers(`${text}DEFAULT Auth-Type := Accept\n\tFall-Through = Yes\n`, "aa:bb:cc:dd:ee:ff");
  assert.deepEqual(found, [...rows, { name: "DEFAULT" }]);
});

test("DEFAULT, the probe, a user like a device and a device's password are refused", () => {
  const refused = (row: object): void => assert.equal(radiusRow().safeParse(row).success, false, JSON.stringify(row));
  const password = "{CLEARTEXT}x";
  for (const name of [
    "DEFAULT",
    "trigger-probe",
    "001122aabbcc",
    "00-11-22-aa-bb-cc",
    "$INCLUDE",
    "a b",
    "#a",
    '"a"',
  ]) {
    refused({ name, password });
  }
  refused({ name: "00:11:22:aa:bb:cc", password });
  refused({ name: "alice" });
  for (const bad of [
    "x",
    "{SASL}alice@A",
    "{NT}x",
    "{CRYPT}!",
    "{CRYPT}*LK*",
    "{CLEARTEXT}",
    "{CLEARTEXT}a\nb",
    "{SSHA}é",
  ]) {
    refused({ name: "alice", password: bad });
  }
  for (const vlan of ["0", "4095", "012", "a b", "12'", ""]) refused({ ...alice, vlan });
  for (const reply of [{ "Session-Timeout": "soon" }, { "Exec-Program": "/bin/sh" }, { "Filter-Id": "a\nb" }]) {
    refused({ ...alice, reply });
  }
});

test("values are refused or give exactly their entries", () => {
  const password = fc
    .tuple(fc.constantFrom(...Object.keys(schemes), "X"), anything("wonder land"))
    .map(([scheme, value]) => `{${scheme}}${value}`);
  const row = fc.record({
    name: fc.oneof(anything("alice"), anything("alice@campus.example"), anything("00:11:22:aa:bb:cc")),
    password: fc.option(password, { nil: undefined }),
    vlan: fc.option(anything("12"), { nil: undefined }),
    reply: fc.option(fc.record({ "Filter-Id": anything("pupils") }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 4 }), (given) => {
      const rows = given.flatMap((row) => radiusRow().safeParse(JSON.parse(JSON.stringify(row))).data ?? []);
      const { text } = usersFile(
        rows.map((row) => [row.name, row] as const),
        "aa-bb-cc-dd-ee-ff",
        "0badcafe",
      );
      assert.deepEqual(
        JSON.parse(JSON.stringify(readUsers(text, "aa-bb-cc-dd-ee-ff"))),
        JSON.parse(JSON.stringify(rows)),
      );
    }),
  );
});

test("options that could run a program, or name no type, are refused", () => {
  assert.throws(
    () => freeradius({ reply: { "Exec-Program-Wait": "text" } }),
    /reply\.Exec-Program-Wait: may not be in a reply/,
  );
  assert.throws(() => freeradius({ reply: { Class: "txt" as never } }), /is not a type \("txt"\): text, number/);
  assert.throws(() => freeradius({ macForm: "aabb.ccdd.eeff" as never }), /is not a form of MAC address/);
  assert.throws(() => freeradius({ prob: false } as never), /unknown option "prob"/);
});

test("by default accounts with a checkable password are users", () => {
  const service = freeradius();
  const account = { uid: ["alice"], userpassword: ["{SSHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=AAAA", "{CRYPT}!"] };
  const person = entry(["inetOrgPerson", "posixAccount"], "alice", { ...account, sambantpassword: [nt] });
  assert.deepEqual(selected(service, person), { name: "alice", password: `{NT}${nt.toLowerCase()}` });
  const plain = entry(["posixAccount"], "bob", { uid: ["bob"], userpassword: ["pass word"] });
  assert.deepEqual(selected(service, plain), { name: "bob", password: "{CLEARTEXT}pass word" });
  assert.equal(selected(service, entry(["posixAccount"], "x", { uid: ["x"], userpassword: ["{SASL}x"] })), undefined);
  const profile = {
    uid: ["eve"],
    userpassword: ["x"],
    radiustunnelprivategroupid: ["12"],
    radiussessiontimeout: ["60"],
  };
  assert.deepEqual(selected(service, entry(["radiusprofile"], "eve", profile)), {
    ...{ name: "eve", password: "{CLEARTEXT}x", vlan: "12" },
    reply: { "Session-Timeout": "60" },
  });
  assert.equal(selected(service, entry(["radiusprofile"], "eve", { ...profile, dialupaccess: ["FALSE"] })), undefined);
  const other = { uid: ["eve"], userpassword: ["{ARGON2}$argon2id$v=19$m=65536$c2FsdA$aGFzaA"] };
  assert.throws(() => selected(service, entry(["radiusprofile"], "eve", other)), /neither userPassword/);
});

test("a user without any usable password is removed, one with a wrong answer stays", () => {
  const table = tableOf(freeradius());
  const removes = (from: Table, about: readonly string[]): boolean =>
    refusalRemoves(from, refusedCell("why", about), null);
  const about = (attributes: Record<string, string[]>): readonly string[] | undefined => {
    const eve = entry(["radiusprofile"], "eve", { uid: ["eve"], userpassword: ["x"], ...attributes });
    try {
      const read = readRow(table, selected(freeradius(), eve) as object);
      return "wrong" in read ? read.about : undefined;
    } catch (error) {
      return error instanceof Refusal ? error.about : undefined;
    }
  };
  const twoVlans = { radiustunnelprivategroupid: ["12", "13"] };
  const argon = { userpassword: ["{ARGON2}$argon2id$v=19$m=65536$c2FsdA$aGFzaA"] };
  for (const [attributes, goes] of [
    [argon, true],
    [{ ...argon, ...twoVlans }, true],
    [{ sambantpassword: [nt, nt.replace("8", "9")], ...twoVlans }, true],
    [{ sambaacctflags: ["[D"], ...twoVlans }, true],
    [{ dialupaccess: ["FALSE", "TRUE"] }, true],
    [twoVlans, false],
    [{ radiustunnelprivategroupid: ["no vlan"] }, false],
    [{ uid: ["eve", "mallory"] }, false],
  ] as const) {
    const said = about(attributes as Record<string, string[]>);
    assert.ok(said, "it is refused");
    assert.equal(removes(table, said), goes, said.join());
  }
  const both = readRow(table, { name: "DEFAULT", password: "{X}x", vlan: "no vlan" });
  assert.ok("wrong" in both && removes(table, both.about), "one of two mistakes is of the password");
  assert.equal(removes(tableOf(freeradius({ refused: [] })), about(argon) ?? []), false);
});

test("an attribute that was not requested removes no user", () => {
  const unread = (name: string) => (name === "userpassword" ? "add it" : undefined);
  const attributes = new Map(Object.entries({ objectclass: ["radiusprofile"], uid: ["eve"] }));
  const eve = entryApi(mirrored({ uuid: "eve", dn: "uid=eve", attributes }), { timezone: "UTC", unread });
  assert.throws(() => selected(freeradius(), eve), /^NotRead: userPassword is not read from the directory: add it$/);
});

test("a user with a locked or removed password has no access", () => {
  const out = ["{CRYPT}!$6$salt$hash", "{crypt}*", "{SSHA}!2jmj7l5rSw0yVb/vlWAYkK/YBwk=AAAA"].map((value) => [value]);
  for (const userpassword of [[], ...out]) {
    for (const kind of ["radiusprofile", "posixAccount"]) {
      const eve = entry([kind], "eve", { uid: ["eve"], userpassword });
      assert.equal(selected(freeradius(), eve), undefined, `${kind}: ${userpassword}`);
    }
  }
});

test("a disabled account and a disabled device have no access", () => {
  const service = freeradius({ devices: true });
  const person = { uid: ["alice"], sambantpassword: [nt], sambaacctflags: ["[DU         ]"] };
  assert.equal(selected(service, entry(["posixAccount"], "alice", person)), undefined);
  const device = { macaddress: ["0:1:2:3:4:5"], nsaccountlock: ["true"] };
  assert.equal(selected(service, entry(["ieee802Device"], "printer", device)), undefined);
});

test("an option gives the devices of RFC 2307 access by MAC address", () => {
  const device = entry(["device", "ieee802Device"], "printer", { macaddress: ["0:1:2:3:4:5"] });
  assert.equal(selected(freeradius(), device), undefined);
  assert.deepEqual(selected(freeradius({ devices: true }), device), [{ name: "00:01:02:03:04:05" }]);
});
