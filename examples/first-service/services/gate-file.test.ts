import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { memoryHost, memoryMachine } from "trigger/testing";
import gate from "./gate.ts";

const list = fileURLToPath(new URL("../out/gate.list", import.meta.url));
const laptop = { ip: "2001:db8::2", name: "laptop", owner: "alice" };

test("a gate that takes no copy keeps its last good list", async () => {
  const machine = memoryMachine({ programs: { awk: () => {}, cp: () => {}, cmp: () => {} } });
  const host = memoryHost(gate, machine);
  await host.run([laptop]);
  assert.equal(machine.text(list), "2001:db8::2 laptop alice\n");

  machine.program("cp", () => ({ code: 1, stderr: "the gate is away" }));
  await assert.rejects(host.run([]), /the gate is away/);
  assert.equal(machine.text(list), "2001:db8::2 laptop alice\n");
});
