import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { Change, RunResult } from "../../../src/core/service/service.ts";
import { canonical } from "../../../src/core/stream/cells.ts";
import { Away } from "../../../src/core/util/errors.ts";
import type { Columns } from "../../../src/core/util/json.ts";
import { systemClock } from "../../../src/daemon/clock.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { freeradius, radiusRow } from "../../../src/services/freeradius.ts";
import { hostScene } from "../../fixtures/host.ts";
import { type FreeRadius, freeRadius } from "../../servers/freeradius.ts";
import { anything } from "../../services/hostile.ts";
import { hostOn, rowsOf, tableOf } from "../../services/scene.ts";
import { until } from "../../until.ts";

assert.ok(existsSync("/usr/sbin/freeradius"), "freeradius is not installed: run scripts/setup.sh test");

const alice = { name: "alice", password: "{CLEARTEXT}it's 50% %{User-Name} é", vlan: "12" };
const bob = { name: "bob", password: "{NT}8846f7eaee8fb117ad06bdd830b7586c", reply: { "Session-Timeout": "3600" } };
const phone = { name: "00:11:22:AA:BB:CC", vlan: "phones" };
const as = (name: string) => `User-Name = '${name}'`;
const secret = "User-Password = 'it\\'s 50% %{User-Name} é'";
const overEap = [as("001122aabbcc"), "EAP-Message = 0x0201000d0161616262636364646565", "Message-Authenticator = 0x00"];
const inTunnel = "FreeRADIUS-Proxied-To = 127.0.0.1";
const device = [as("001122aabbcc"), "User-Password = 001122aabbcc"];

/** Texts of what FreeRADIUS could read as something else than itself. */
const escapes = fc
  .array(
    fc.constantFrom(
      "\\",
      "'",
      '"',
      "\\n",
      "\\x41",
      "\\101",
      "%",
      "%{User-Name}",
      "$" + "{name}",
      "`id`",
      "#",
      ",",
      " ",
      "é",
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** The service before a server of its own. */
function given(server: FreeRadius) {
  const service = tableOf(freeradius({ ...server.place, reply: { "Session-Timeout": "text" } }));
  const host = hostOn(realMachine(), { secret: true });
  let before = new Map<string, Columns>();
  return {
    async run(rows: Record<string, object>, { whole = false } = {}): Promise<RunResult> {
      const after = new Map(Object.entries(rows).map(([key, row]) => [key, service.row.parse(row) as Columns]));
      const keys = [...new Set([...before.keys(), ...after.keys()])];
      const moved = keys.map((key) => ({ key, before: before.get(key), after: after.get(key) }) as Change<Columns>);
      const table = { rows: rowsOf(after), changes: whole ? undefined : moved, interrupted: false };
      const result = await service.run(table, host);
      before = after;
      return result;
    },
    observed: async () => [...((await service.observe?.(host)) ?? [])],
    reloads: () => server.log().split('Reloaded module "files"').length - 1,
    code: async (...items: string[]) => (await server.ask(...items)).code,
  };
}

// Most of the time of each is spent waiting until FreeRADIUS takes the next HUP.
suite("FreeRADIUS", { concurrency: true }, () => {
  test("a first table and its changes", async (t) => {
    await using server = await freeRadius();
    const { run, reloads, code } = given(server);

    await t.test("the file is written during an outage, and is served once FreeRADIUS answers", async () => {
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
    });

    await t.test("a device is accepted by MAC authentication alone, not by EAP or a tunnel", async () => {
      assert.equal((await server.ask(...device)).reply.at(-1), 'Tunnel-Private-Group-Id:0 = "phones"');
      assert.deepEqual(await server.ask(...overEap), { code: "Access-Reject", reply: [] });
      assert.equal(await code(...device, inTunnel), "Access-Reject");
    });

    await t.test("the probe's entry gives no access", async () => {
      assert.equal(await code(as("trigger-probe"), "User-Password = x"), "Access-Challenge");
      assert.equal(await code(as("trigger-probe"), "User-Password = x", inTunnel), "Access-Reject");
    });

    await t.test("a swap of names is served when the run ends, despite an ignored HUP", async () => {
      await run({ a: { ...alice, name: "bob" }, b: { ...bob, name: "alice" } });
      assert.equal(await code(as("bob"), secret), "Access-Accept");
      assert.equal(await code(as("alice"), "MS-CHAP-Password = password"), "Access-Accept");
      assert.equal(await code(...device), "Access-Reject");
    });

    await t.test("a full run over served rows sends no reload", async () => {
      const seen = reloads();
      await run({ a: { ...alice, name: "bob" }, b: { ...bob, name: "alice" } }, { whole: true });
      assert.equal(reloads(), seen);
    });
  });

  test("a refused row is named and retained; the others are served", async () => {
    await using server = await freeRadius();
    const { run, code } = given(server);
    await assert.rejects(run({ a: alice, b: bob }, { whole: true }), Away);
    await server.start();
    await run({ a: alice, b: bob }, { whole: true });
    const wrong = { ...bob, reply: { "Session-Timeout": "soon" } };
    const result = await run({ a: { ...alice, name: "carol" }, b: wrong, c: phone });
    const [refused, ...others] = result?.refused ?? [];
    assert.deepEqual(others, []);
    assert.equal(refused?.key, "b");
    assert.match(refused?.why ?? "", /Parse error \(reply\) for entry bob/);
    assert.equal(await code(...device), "Access-Accept");
    assert.equal(await code(as("bob"), "MS-CHAP-Password = password"), "Access-Accept");
    assert.equal(await code(as("carol"), secret), "Access-Accept");
    // Also where it is not known what was given before.
    const again = await run({ a: alice, b: wrong, c: phone }, { whole: true });
    assert.deepEqual(
      again?.refused?.map(({ key }) => key),
      ["b"],
    );
    assert.equal(await code(as("alice"), secret), "Access-Accept");
    assert.equal(await code(as("bob"), "MS-CHAP-Password = password"), "Access-Accept");
  });

  test("a refused row gives no access by its old password; the others are served", async () => {
    await using server = await freeRadius();
    const { run, code } = given(server);
    await assert.rejects(run({ a: alice, b: bob }, { whole: true }), Away);
    await server.start();
    await run({ a: alice, b: bob }, { whole: true });
    const wrong = { ...bob, password: "{CLEARTEXT}new", reply: { "Session-Timeout": "soon" } };
    const result = await run({ a: alice, b: wrong, c: phone });
    assert.deepEqual(
      result?.refused?.map(({ key, gone }) => [key, gone]),
      [["b", true]],
    );
    assert.equal(await code(...device), "Access-Accept");
    assert.equal(await code(as("bob"), "MS-CHAP-Password = password"), "Access-Reject");
  });

  test("a hand edit is observed, and a full run repairs it", async () => {
    await using server = await freeRadius();
    const { run, code, observed } = given(server);
    await assert.rejects(run({ a: alice, b: bob }, { whole: true }), Away);
    const text = readFileSync(server.place.path, "utf8");
    const edited = text.replace(/^alice .*\n(\t.*\n)*/m, "");
    writeFileSync(server.place.path, `${edited}mallory Cleartext-Password := "x"\n`);
    await server.start();
    assert.deepEqual(await observed(), [bob, { name: "mallory" }]);
    await run({ a: alice, b: bob }, { whole: true });
    assert.deepEqual(await observed(), [alice, bob]);
    assert.equal(await code(as("mallory"), "User-Password = x"), "Access-Reject");
  });

  test("a FreeRADIUS that was killed is away, and serves the change on its return", async () => {
    await using server = await freeRadius();
    const { run } = given(server);
    await assert.rejects(run({ a: alice }, { whole: true }), Away);
    await server.start();
    await run({ a: alice }, { whole: true });
    await server.kill9();
    await assert.rejects(run({ a: { ...alice, vlan: "13" } }), Away);
    await server.start();
    await run({ a: { ...alice, vlan: "13" } }, { whole: true });
    assert.equal((await server.ask(as("alice"), secret)).reply.at(-1), 'Tunnel-Private-Group-Id:0 = "13"');
  });

  test("a host reports pending changes during an outage, and serves them after it", async (t) => {
    await using server = await freeRadius();
    const [machine, clock] = [realMachine() as never, systemClock as never];
    const { say, up, report, end } = hostScene(freeradius(server.place) as never, { name: "radius", machine, clock });
    const row = (vlan: string) => canonical(radiusRow().parse({ ...alice, vlan }) as Columns);
    await say([["a", row("12")]]);
    const host = up();
    try {
      await until(() => /FreeRADIUS does not answer/.test(report().why ?? ""));
      await server.start();
      await until(() => report().pending === 0 && report().serving);
      await server.kill9();
      await say([["a", row("13")]]);
      await until(() => report().pending === 1 && /FreeRADIUS does not answer/.test(report().why ?? ""));
      await server.start();
      const returned = performance.now();
      await until(() => report().pending === 0 && report().serving);
      const took = performance.now() - returned;
      t.diagnostic(`applied ${Math.round(took)} ms after its return`);
      assert.equal((await server.ask(as("alice"), secret)).reply.at(-1), 'Tunnel-Private-Group-Id:0 = "13"');
    } finally {
      await host.down();
      end();
    }
  });

  test("a server that hangs is away", async () => {
    await using server = await freeRadius();
    const { run } = given(server);
    await assert.rejects(run({}, { whole: true }), Away);
    await server.start();
    server.signal("SIGSTOP");
    await assert.rejects(run({ a: alice }), Away);
  });

  test("any password is refused, or accepted by FreeRADIUS exactly as given", async () => {
    await using server = await freeRadius();
    const { run } = given(server);
    const seed = Number(process.env.SEED ?? Date.now() % 0x7fffffff);
    const values = fc.sample(fc.oneof(anything("pass word"), fc.string({ maxLength: 40 }), escapes), {
      numRuns: 200,
      seed,
    });
    const rows = values
      .map((value, index) => ({
        name: `user${index}x`,
        password: `{CLEARTEXT}${value}`,
        reply: { "Session-Timeout": "7" },
      }))
      .filter((row) => radiusRow({ "Session-Timeout": "text" }).safeParse(row).success);
    assert.ok(rows.length > 100, `only ${rows.length} of 200 were taken`);
    await assert.rejects(run(Object.fromEntries(rows.map((row) => [row.name, row])), { whole: true }), Away);
    await server.start();
    assert.deepEqual((await run(Object.fromEntries(rows.map((row) => [row.name, row])), { whole: true }))?.refused, []);
    for (const { name, password } of rows) {
      const given = password.slice("{CLEARTEXT}".length);
      assert.equal(await server.pap(name, given), "Access-Accept", `${JSON.stringify(given)} (SEED=${seed})`);
    }
  });
});
