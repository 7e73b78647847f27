import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryMachine } from "../testing/memory-machine.ts";
import { dryMachine } from "./dry.ts";

const base = () =>
  memoryMachine({ files: { "/etc/a": "one\n", "/home/ada/notes": "n" }, otherwise: () => ({ stdout: "ran" }) });

test("a dry machine changes nothing and notes every change", async () => {
  const below = base();
  const dry = dryMachine(below);
  await dry.files.write("/etc/a", "two\n");
  await dry.files.write("/etc/staged", "three\n");
  await dry.files.rename("/etc/staged", "/etc/a");
  await dry.files.rename("/home/ada", "/home/grace");
  await dry.files.chown("/home/grace/notes", 7, 7);
  await dry.files.makeDirectory("/home/alan", { mode: 0o700 });
  assert.equal((await dry.run(["reload"], { changes: true, deadline: 1000 })).stdout, "");
  assert.equal((await dry.run(["look"], { changes: false, deadline: 1000 })).stdout, "ran");
  assert.deepEqual(dry.noted(), {
    files: [{ path: "/etc/a", before: "one\n", after: "three\n" }],
    changes: ["move /home/ada to /home/grace", "give /home/grace/notes to 7:7", "make directory /home/alan"],
    commands: [{ command: ["reload"], input: undefined }],
  });
  assert.equal(below.text("/etc/a"), "one\n");
  assert.equal(below.text("/home/ada/notes"), "n");
  assert.deepEqual(await below.files.list("/home"), ["ada"]);
  assert.deepEqual(await dry.files.list("/home"), ["alan", "grace"]);
});

test("notes can be dropped, and later notes start from there", async () => {
  const dry = dryMachine(base());
  await dry.files.write("/etc/a", "two\n");
  dry.forget();
  assert.deepEqual(dry.noted(), { files: [], changes: [], commands: [] });
  await dry.files.write("/etc/a", "three\n");
  await dry.files.write("/etc/a", "four\n");
  assert.deepEqual(dry.noted().files, [{ path: "/etc/a", before: "two\n", after: "four\n" }]);
  await dry.files.write("/etc/a", "two\n");
  assert.deepEqual(dry.noted().files, [], "a change that was taken back is none");
});

test("a removed name stays removed, and a new one below it starts empty", async () => {
  const dry = dryMachine(base());
  await dry.files.remove("/home/ada/notes");
  await dry.files.remove("/home/ada");
  assert.equal(await dry.files.read("/home/ada/notes"), undefined);
  await dry.files.makeDirectory("/home/ada");
  assert.deepEqual(await dry.files.list("/home/ada"), []);
});
