import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { Hostname, Ip } from "../../src/core/service/columns.ts";
import { files } from "../../src/services/files.ts";
import { conform } from "./conform.ts";
import { scene } from "./scene.ts";

const hosts = files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name"],
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows, host) => [
    { path: "/etc/hosts.campus", text: [...rows].map(({ ip, name }) => `${ip} ${name}\n`).join("") },
    { path: "/etc/owner", text: host.name },
  ],
  reload: ["reload"],
  on: { web2: { reload: ["reload2"] } },
});

conform("files", hosts, [{ name: "PC7", ip: "10.0.0.7" }]);

test("the files are a function of the rows, installed with one reload", async () => {
  for (const [name, reload] of [
    ["web1", "reload"],
    ["web2", "reload2"],
  ] as const) {
    const { machine, run } = scene(hosts, { name });
    const calls: string[] = [];
    for (const program of ["reload", "reload2"]) machine.program(program, () => void calls.push(program));
    await run({ a: { name: "PC7", ip: "10.0.0.7" }, b: { name: "pc8", ip: "2001:DB8::8" } });
    assert.equal(machine.text("/etc/hosts.campus"), "10.0.0.7 pc7\n2001:db8::8 pc8\n");
    assert.equal(machine.text("/etc/owner"), name);
    assert.deepEqual(calls, [reload]);
  }
});
