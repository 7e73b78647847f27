import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Away } from "../../../src/core/outcome.ts";
import type { Change, Columns, RunResult } from "../../../src/core/service.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { freeradius } from "../../../src/services/freeradius.ts";
import { freeRadius } from "../../servers/freeradius.ts";
import { hostOn, rowsOf, tableOf } from "../../services/scene.ts";

assert.ok(existsSync("/usr/sbin/freeradius"), "freeradius is not installed: run scripts/setup.sh test");

const alice = { name: "alice", password: "{CLEARTEXT}it's 50% %{User-Name} é", vlan: "12" };
const bob = { name: "bob", password: "{NT}8846f7eaee8fb117ad06bdd830b7586c", reply: { "Session-Timeout": "3600" } };
const phone = { name: "00:11:22:AA:BB:CC", vlan: "phones" };
const secret = "User-Password = 'it\\'s 50% %{User-Name} é'";
const as = (name: string) => `User-Name = '${name}'`;
const overEap = ["EAP-Message = 0x0201000d0161616262636364646565", "Message-Authenticator = 0x00"];
const device = [as("001122aabbcc"), "User-Password = 001122aabbcc"];

test("FreeRADIUS follows a table: from nothing, through changes, and through whatever becomes of it", async (t) => {
  await using server = await freeRadius();
  const service = tableOf(freeradius({ ...server.place, reply: { "Session-Timeout": "text" } }));
  const host = hostOn(realMachine(), { secret: true });
  let before = new Map<string, Columns>();
  const run = async (rows: Record<string, object>, { whole = false } = {}): Promise<RunResult> => {
    const after = new Map(Object.entries(rows).map(([key, row]) => [key, service.row.parse(row) as Columns]));
    const keys = [...new Set([...before.keys(), ...after.keys()])];
    const moved = keys.map((key) => ({ key, before: before.get(key), after: after.get(key) }) as Change<Columns>);
    const result = await service.run(
      { rows: rowsOf(after), changes: whole ? undefined : moved, interrupted: false },
      host,
    );
    before = after;
    return result;
  };
  const observed = async () => [...((await service.observe?.(host)) ?? [])];
  const text = () => readFileSync(server.place.path, "utf8");
  const reloads = async () => (await server.log()).split('Reloaded module "files"').length - 1;
  const code = async (...items: string[]) => (await server.ask(...items)).code;

  await t.test(
    "while it is away the file is written for its start, and it counts as served only when it answers",
    async () => {
      await assert.rejects(run({ a: alice, b: bob, c: phone }, { whole: true }), Away);
      assert.equal(statSync(server.place.path).mode & 0o777, 0o600);
      await assert.rejects(run({ a: alice, b: bob, c: phone }, { whole: true }), Away);
      await server.start();
      await run({ a: alice, b: bob, c: phone }, { whole: true });
      assert.deepEqual(await server.ask(as("alice"), secret), {
        code: "Access-Accept",
        reply: ["Tunnel-Type:0 = VLAN", "Tunnel-Medium-Type:0 = IEEE-802", 'Tunnel-Private-Group-Id:0 = "12"'],
      });
      assert.equal(await code(as("alice"), "User-Password = wrong"), "Access-Reject");
      const timeout = { code: "Access-Accept", reply: ["Session-Timeout = 3600"] };
      assert.deepEqual(await server.ask(as("bob"), "MS-CHAP-Password = password"), timeout);
    },
  );

  await t.test("a device is let in by MAC authentication alone, not over EAP or in a tunnel", async () => {
    assert.equal((await server.ask(...device)).reply.at(-1), 'Tunnel-Private-Group-Id:0 = "phones"');
    assert.equal(await code(...device, ...overEap), "Access-Reject");
    assert.equal(await code(...device, "FreeRADIUS-Proxied-To = 127.0.0.1"), "Access-Reject");
  });

  await t.test("the probe's entry lets nobody in", async () => {
    assert.equal(await code(as("trigger-probe"), "User-Password = x"), "Access-Challenge");
    for (const more of [overEap, ["FreeRADIUS-Proxied-To = 127.0.0.1"]]) {
      assert.equal(await code(as("trigger-probe"), "User-Password = x", ...more), "Access-Reject");
    }
  });

  await t.test(
    "a change within two seconds of the start, where a HUP is ignored, is in force when the run ends; names are swapped",
    async () => {
      await run({ a: { ...alice, name: "bob" }, b: { ...bob, name: "alice" } });
      assert.equal(await code(as("bob"), secret), "Access-Accept");
      assert.equal(await code(as("alice"), "MS-CHAP-Password = password"), "Access-Accept");
      assert.equal(await code(...device), "Access-Reject");
    },
  );

  await t.test("a full run over what is served tells it nothing", async () => {
    const seen = await reloads();
    await run({ a: { ...alice, name: "bob" }, b: { ...bob, name: "alice" } }, { whole: true });
    assert.equal(await reloads(), seen);
  });

  await t.test("a row that it refuses is named, keeps what it had, and the others go in", async () => {
    const wrong = { ...bob, name: "alice", reply: { "Session-Timeout": "soon" } };
    const result = await run({ a: { ...alice, name: "bob", vlan: "14" }, b: wrong, c: phone });
    const [refused] = result?.refused ?? [];
    assert.equal(refused?.key, "b");
    assert.match(refused?.why ?? "", /Parse error \(reply\) for entry alice/);
    assert.equal(result?.refused?.length, 1);
    assert.equal(await code(...device), "Access-Accept");
    assert.equal(await code(as("alice"), "MS-CHAP-Password = password"), "Access-Accept");
  });

  await t.test("a hand edit is observed, and a full run mends it", async () => {
    await run({ a: alice, b: bob });
    writeFileSync(
      server.place.path,
      `${text().replace(/^alice .*\n(\t.*\n)*/m, "")}mallory Cleartext-Password := "x"\n`,
    );
    assert.deepEqual(new Set((await observed()).map(({ name }) => name)), new Set(["bob", "mallory"]));
    await run({ a: alice, b: bob }, { whole: true });
    assert.deepEqual(await observed(), [alice, bob]);
    assert.equal(await code(as("mallory"), "User-Password = x"), "Access-Reject");
  });

  await t.test("after kill -9 and while it hangs it is away, and its return brings the change", async () => {
    await server.kill9();
    await assert.rejects(run({ a: { ...alice, vlan: "13" } }), Away);
    await server.start();
    const returned = performance.now();
    await run({ a: { ...alice, vlan: "13" } }, { whole: true });
    assert.ok(performance.now() - returned < 1000);
    assert.equal((await server.ask(as("alice"), secret)).reply.at(-1), 'Tunnel-Private-Group-Id:0 = "13"');
    server.signal("SIGSTOP");
    await assert.rejects(run({ a: alice }), Away);
    server.signal("SIGCONT");
  });
});
