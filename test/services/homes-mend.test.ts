import assert from "node:assert/strict";
import { test } from "node:test";
import { homes } from "../../src/services/homes.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { quietMachine, scene } from "./scene.ts";

const alice = { uid: "1000", gid: "100", home: "/home/alice" };
const bob = { uid: "1001", gid: "100", home: "/home/bob" };
const rows = { a: alice, b: bob };
const machineWith = () => quietMachine({ "/home/readme": "" });

async function owner({ files }: MemoryMachine, path: string): Promise<string> {
  const { uid, gid } = (await files.stat(path)) ?? {};
  return `${uid}:${gid}`;
}

test("a home removed or given to root by hand is repaired once", async () => {
  const { machine, log, run, observe } = scene(homes(), { machine: machineWith() });
  await run(rows, { whole: true });
  assert.deepEqual(await observe(), [alice, bob]);
  await machine.files.remove("/home/alice");
  await machine.files.chown("/home/bob", 0, 0);
  assert.deepEqual(await observe(), [{ uid: "0", gid: "0", home: "/home/bob" }]);
  assert.deepEqual(await run(rows, { whole: true }), { refused: [] });
  assert.deepEqual(await observe(), [alice, bob]);
  assert.deepEqual(log, ["/home/bob belonged to 0:0, and belongs to 1001:100 now"]);
  await run(rows, { whole: true });
  assert.equal(log.length, 1);
});

test("the group of a home follows its gidNumber, unless members choose it", async () => {
  for (const [group, seen] of [
    [true, ["1000:100", "1000:200"]],
    [false, ["1000:33", "1000:33"]],
  ] as const) {
    const { machine, run, observe } = scene(homes({ group }), { machine: machineWith() });
    await run({ a: alice });
    await machine.files.chown("/home/alice", 1000, 33);
    assert.deepEqual(await observe(), [{ uid: "1000", home: "/home/alice", ...(group && { gid: "33" }) }]);
    await run({ a: alice }, { whole: true });
    const first = await owner(machine, "/home/alice");
    await run({ a: { ...alice, gid: "200" } });
    assert.deepEqual([first, await owner(machine, "/home/alice")], seen);
  }
});

test("a home given to another member stays his: its row is refused", async () => {
  const { machine, run } = scene(homes(), { machine: machineWith() });
  await run(rows);
  await machine.files.chown("/home/alice", 1001, 100);
  const result = await run(rows, { whole: true });
  assert.deepEqual(result?.refused, [{ key: "a", why: "/home/alice is there, and belongs to uid 1001, not 1000" }]);
  assert.equal(await owner(machine, "/home/alice"), "1001:100");
});

test("a directory that was never a member's home is not given to him", async () => {
  const { machine, run } = scene(homes(), { machine: machineWith() });
  await machine.files.makeDirectory("/home/alice", { mode: 0o700, uid: 0, gid: 0 });
  await run({ a: alice }, { whole: true });
  assert.equal(await owner(machine, "/home/alice"), "0:0");
});

test("every member gets the quota, and a right one is not set again", async () => {
  const quota = { space: "10G", spaceForAWhile: "11G", files: 5000 } as const;
  const machine = machineWith();
  const set = new Map<string, string>();
  const inputs: string[] = [];
  machine.program("df", () => ({ stdout: "Mounted on\n/srv\n" }));
  machine.program("setquota", ({ arguments: words, input = "" }) => {
    assert.deepEqual(words, ["-u", "-b", "/srv"]);
    inputs.push(input);
    for (const [, uid = "", limits = ""] of input.matchAll(/^(\d+) (.*)$/gm)) set.set(uid, limits);
  });
  machine.program("repquota", () => {
    const head =
      "User,BlockStatus,FileStatus,BlockUsed,BlockSoftLimit,BlockHardLimit,BlockGrace,FileUsed,FileSoftLimit,FileHardLimit,FileGrace";
    const lines = [...set].map(([uid, limits]) => {
      const [softSpace, hardSpace, soft, hard] = limits.split(" ");
      return `#${uid},ok,ok,4,${softSpace},${hardSpace},,1,${soft},${hard},`;
    });
    return { stdout: `${[head, "#0,ok,ok,20,0,0,,5,0,0,", ...lines].join("\n")}\n` };
  });
  const { run } = scene(homes({ quota }), { machine });
  await run(rows, { whole: true });
  await run(rows, { whole: true });
  await run({ ...rows, c: { uid: "1002", gid: "100", home: "/home/carol" } });
  set.set("1001", "1 1 0 0");
  await run(rows, { whole: true });
  const line = (uid: number) => `${uid} 10485760 11534336 5000 5000\n`;
  assert.deepEqual(inputs, [line(1000) + line(1001), line(1002), line(1001)]);
});

test("a file system without quota is an error, but homes are made", async () => {
  const machine = machineWith();
  const stderr = "repquota: Mountpoint (or device) /home not found or has no quota enabled.";
  machine.program("repquota", () => ({ code: 1, stderr }));
  const { run } = scene(homes({ quota: { space: "1T" } }), { machine });
  await assert.rejects(run(rows, { whole: true }), {
    message: "the homes have no quota: the file system of /home has no quota enabled",
  });
  assert.equal(await owner(machine, "/home/alice"), "1000:100");
  for (const space of ["10", "0G", "10 G", "-1G", "1e3M", 10]) {
    assert.throws(() => homes({ quota: { space: space as string } }), /^UserError: homes: quota/);
  }
});
