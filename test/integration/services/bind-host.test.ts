import assert from "node:assert/strict";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../../project.ts";
import { startNamed } from "../../servers/named.ts";
import { until } from "../../until.ts";

// A host as an operator has it, before a real BIND that is killed, edited by hand and compared.

const zone = "campus.example";

test("a change during an outage is pending with its reason, and applied after it", async (t) => {
  await using named = await startNamed({
    zones: { [zone]: { records: ["ns1 A 10.0.0.2"] }, "2.0.192.in-addr.arpa": {} },
  });
  const options = { zone, reverse: ["192.0.2.0/24"], port: named.port, key: named.key, timeout: 1, daemon: false };
  const service = `import { bind } from "trigger";\nexport default bind(${JSON.stringify(options)});\n`;
  const hosts = { dns: ["names"], civet: ["event"] };
  const { trigger, write, spawn } = makeProject(t, { hosts, files: { "services/names.ts": service } });
  const up = spawn(["up", "--all"]);
  const has = (name: string, ip: string) => async () => (await named.dig(`${name}.${zone}`, "A")).join() === ip;
  await until(has("laptop", laptop.ip), { within: 20_000 }).catch((error) => assert.fail(`${error}\n${up.said()}`));
  await until(async () => (await trigger(["status"])).code === 0, { within: 20_000 });
  const foreign = `  foreign  {"ips":["10.0.0.2"],"name":"ns1.${zone}"}`;
  const same = await trigger(["diff", "names"]);
  assert.deepEqual([same.code, same.out], [0, `dns names: the same\n${foreign}\n`], same.err);

  await named.nsupdate(`zone ${zone}`, `update delete laptop.${zone} A`, `update add laptop.${zone} 3600 A 192.0.2.99`);
  const { code, out } = await trigger(["diff", "names"]);
  assert.equal(code, 1);
  assert.match(out, /differs {2}laptop\.campus\.example: \{"ips":\[\]\}, expected \{"ips":\["192\.0\.2\.11"\]\}/);
  assert.equal((await trigger(["regen", "names"])).code, 0);
  await until(has("laptop", laptop.ip), { within: 20_000 });

  await named.kill9();
  write("directory.ldif", ldif([{ ...printer, ip: "192.0.2.77" }, laptop]));
  await until(async () => /does not answer/.test((await trigger(["status"])).out), { within: 20_000 });
  const back = performance.now();
  await named.start();
  const answers = performance.now();
  // It takes well under a second; the rest is for a machine that does other things as well.
  await until(has("printer", "192.0.2.77"), { within: 30_000 });
  t.diagnostic(
    `applied ${Math.round(performance.now() - answers)} ms after the server answers (up in ${Math.round(answers - back)} ms)`,
  );
  await until(async () => (await trigger(["status"])).code === 0, { within: 20_000 });
});
