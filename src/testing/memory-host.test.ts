import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { Hostname, Ip } from "../core/service/columns.ts";
import { service } from "../core/service/service.ts";
import { everydayMachine } from "./kit/programs.ts";
import { memoryHost } from "./memory-host.ts";
import { memoryMachine } from "./memory-machine.ts";

const row = z.object({ name: Hostname, ip: Ip });
const path = "/etc/demo/hosts";
const hosts = service({
  row,
  unique: ["name", "ip"],
  select: () => undefined,
  async run({ rows, changes }, host) {
    host.log(`${changes?.length ?? "all"}`);
    const text = [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");
    await host.install({ path, text }, { check: ["check", "{staged}"], reload: ["reload"] });
    const refused = [...rows.entries()].filter(([, { name }]) => name === "odd");
    return { refused: refused.map(([key]) => ({ key, why: "an odd name" })) };
  },
});
const programs = { check: () => {}, reload: () => {} };

test("the files of a run are on the machine, and follow its rows", async () => {
  const machine = memoryMachine({ programs });
  const host = memoryHost(hosts, machine);
  assert.deepEqual(await host.run([{ name: "a", ip: "2001:DB8::1" }]), []);
  assert.equal(machine.text(path), "2001:db8::1 a\n");
  await host.run([
    { name: "a", ip: "2001:db8::1" },
    { name: "b", ip: "192.0.2.2" },
  ]);
  assert.equal(machine.text(path), "2001:db8::1 a\n192.0.2.2 b\n");
  await host.run([]);
  assert.equal(machine.text(path), "");
});

test("a run that keeps failing throws its reason, and a later one goes on", async () => {
  const machine = memoryMachine({ programs: { ...programs, reload: () => ({ code: 1, stderr: "no daemon" }) } });
  const host = memoryHost(hosts, machine);
  await assert.rejects(host.run([{ name: "a", ip: "192.0.2.1" }]), /reload exited 1: no daemon/);
  machine.program("reload", () => {});
  await host.run([{ name: "a", ip: "192.0.2.2" }]);
  assert.equal(machine.text(path), "192.0.2.2 a\n");
});

test("rows that the service refuses are given with the reason", async () => {
  const host = memoryHost(hosts, memoryMachine({ programs }));
  const waiting = await host.run([{ name: "odd", ip: "192.0.2.1" }]);
  assert.deepEqual(
    waiting.map(({ key }) => key),
    ["odd"],
  );
  assert.match(waiting[0]?.why ?? "", /an odd name/);
});

test("a row that its schema refuses is named, as are two with one key", async () => {
  const host = memoryHost(hosts, memoryMachine({ programs }));
  await assert.rejects(host.run([{ name: "a", ip: "192.0.2" }]), /^Error: row 1: ip: /);
  const twice = { name: "a", ip: "192.0.2.1" };
  await assert.rejects(host.run([twice, twice]), /two rows have the same name: a/);
});

test("a service of messages handles what is sent, and a parked message throws", async () => {
  const machine = everydayMachine();
  const siren = service(z.object({ on: z.boolean() }), async ({ on }, host) => {
    await host.tell(on ? ["touch", "/run/siren"] : ["false"]);
  });
  const host = memoryHost(siren, machine);
  await host.send({ on: true });
  assert.equal(machine.text("/run/siren"), "");
  await assert.rejects(host.send({ on: false }), /parked: .*false exited 1/);
});

test("a host in memory has the names and the time that it is given", async () => {
  let seen: unknown[] = [];
  const named = service(z.object({}), async (_, { name, service }) => {
    seen = [name, service];
  });
  await memoryHost(named, everydayMachine(), { name: "gate", host: "box", now: 0 }).send({});
  assert.deepEqual(seen, ["box", "gate"]);
});
