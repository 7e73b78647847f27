import assert from "node:assert/strict";
import { test } from "node:test";
import { dryMachine } from "./dry.ts";
import { emptyMachine } from "./empty.ts";

const options = { changes: false, deadline: 1000 };

test("a dry machine over the empty one keeps what is written", async () => {
  const dry = dryMachine(emptyMachine);
  assert.deepEqual(await dry.files.list("/"), []);
  await dry.files.makeDirectory("/etc/a");
  await dry.files.write("/etc/a/b", "one\n");
  await dry.files.link("/etc/a/b", "/etc/a/c");
  assert.deepEqual(await dry.files.list("/etc/a"), ["b", "c"]);
  assert.deepEqual(dry.noted().files[0], { path: "/etc/a/b", before: undefined, after: "one\n" });
});

test("two plans on the empty machine do not see each other's files", async () => {
  await dryMachine(emptyMachine).files.makeDirectory("/etc");
  assert.equal(await dryMachine(emptyMachine).files.stat("/etc"), undefined);
});

test("the empty machine itself refuses every write", async () => {
  const { files } = emptyMachine;
  const writes = [
    files.write("/a", ""),
    files.makeDirectory("/a"),
    files.chmod("/a", 0o600),
    files.chown("/a", 1, 1),
    files.link("/a", "/b"),
    files.rename("/a", "/b"),
    files.remove("/a"),
    files.sync("/a"),
  ];
  for (const write of writes) await assert.rejects(write, { code: "EROFS" });
});

test("each command succeeds in silence, and a stopped plan runs none", async () => {
  assert.deepEqual(await emptyMachine.run(["named-checkconf"], options), { code: 0, stdout: "", stderr: "" });
  const signal = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(emptyMachine.run(["named-checkconf"], { ...options, signal }), /stopped/);
});
