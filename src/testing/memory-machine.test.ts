import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryMachine } from "./memory-machine.ts";

test("a power cut loses unsynced content and names", async () => {
  const machine = memoryMachine({ files: { "/etc/a": "old" } });
  const { files } = machine;
  await files.write("/etc/new", "text");
  await files.sync("/etc");
  await files.write("/etc/lost", "text");
  await files.sync("/etc/lost");
  await files.rename("/etc/a", "/etc/b");
  machine.powerCut();
  assert.equal(machine.text("/etc/new"), "", "its name was synced, its content was not");
  assert.equal(machine.text("/etc/lost"), undefined, "its content was synced, its name was not");
  assert.deepEqual([machine.text("/etc/a"), machine.text("/etc/b")], ["old", undefined]);
});

test("synced content outlives a power cut", async () => {
  const machine = memoryMachine({ files: { "/etc/a": "old" } });
  const { files } = machine;
  await files.write("/etc/new", "text");
  await files.sync("/etc/new");
  await files.rename("/etc/new", "/etc/a");
  await files.sync("/etc");
  machine.powerCut();
  assert.equal(machine.text("/etc/a"), "text");
  assert.deepEqual(await files.list("/etc"), ["a"]);
});

test("a failed sync loses the content, although the next one succeeds", async () => {
  const machine = memoryMachine({ files: { "/etc/a": "old" } });
  await machine.files.write("/etc/a", "new");
  machine.fail(/^sync \/etc\/a$/, "EIO");
  await assert.rejects(machine.files.sync("/etc/a"), { code: "EIO" });
  await machine.files.sync("/etc/a");
  machine.powerCut();
  assert.equal(machine.text("/etc/a"), "old");
});

test("after a power cut some unsynced writes survive, by chance, and nothing else", async () => {
  const seen = new Set<string | undefined>();
  for (let dice = 0; dice < 100; dice++) {
    const machine = memoryMachine({ files: { "/etc/a": "old!" } });
    await machine.files.write("/etc/staged", "new!");
    await machine.files.rename("/etc/staged", "/etc/a");
    let state = dice;
    machine.powerCut(() => {
      state = (state * 1103515245 + 12345) % 2 ** 31;
      return state / 2 ** 31;
    });
    seen.add(machine.text("/etc/a"));
  }
  assert.deepEqual([...seen].sort(), ["", "ne", "new!", "old!"]);
});

test("a boot and a restart each give another incarnation", async () => {
  const machine = memoryMachine();
  const daemon = { unit: "demo.service" };
  const lives = new Set([await machine.incarnation(daemon)]);
  machine.restarted("demo.service");
  lives.add(await machine.incarnation(daemon));
  machine.powerCut();
  lives.add(await machine.incarnation(daemon));
  assert.equal(lives.size, 3);
});

test("a write can be cut short in its middle", async () => {
  const machine = memoryMachine({
    files: { "/etc/a": "old" },
    onStep: (step) => {
      if (step.startsWith("write")) throw new Error("killed");
    },
  });
  await assert.rejects(machine.files.write("/etc/a", "new"), /killed/);
  assert.equal(machine.text("/etc/a"), "");
});
