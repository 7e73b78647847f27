import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Output } from "../../src/core/service/host-api.ts";
import type { Machine } from "../../src/ports/machine.ts";

/**
 * The parts under a test of the contract. Programs of a POSIX shell must be there, real or simulated: see
 * `shellProgram`.
 */
export interface MachineUnderTest {
  readonly machine: Machine;
  /** An empty directory of the test's own. */
  readonly directory: string;
  symlink(target: string, path: string): void | Promise<void>;
  dispose?(): void | Promise<void>;
}

/** The contract of `Machine`: every implementation runs it. */
export function machineContract(name: string, make: () => MachineUnderTest | Promise<MachineUnderTest>): void {
  const claim = (what: string, body: (under: MachineUnderTest) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const under = await make();
      try {
        await body(under);
      } finally {
        await under.dispose?.();
      }
    });
  const text = async (machine: Machine, path: string) => {
    const bytes = await machine.files.read(path);
    return bytes && Buffer.from(bytes).toString();
  };

  claim("a path that was never written is absent", async ({ machine: { files }, directory }) => {
    const path = join(directory, "none");
    assert.equal(await files.stat(path), undefined);
    assert.equal(await files.read(path), undefined);
    assert.deepEqual(await files.list(path), []);
    await files.remove(path);
    await files.remove(join(path, "below"));
    await assert.rejects(files.write(join(path, "below"), ""), { code: "ENOENT" });
    await assert.rejects(files.sync(path), { code: "ENOENT" });
  });

  claim("a written file is read back with the requested mode", async ({ machine, directory }) => {
    const { files } = machine;
    const path = join(directory, "é file");
    await files.write(path, "text é");
    assert.equal(await text(machine, path), "text é");
    assert.deepEqual(pick(await files.stat(path)), { kind: "file", mode: 0o644, size: 7 });
    await files.write(path, Buffer.from([0, 255]), { mode: 0o600 });
    assert.deepEqual([...((await files.read(path)) ?? [])], [0, 255]);
    assert.deepEqual(pick(await files.stat(path)), { kind: "file", mode: 0o600, size: 2 });
    await files.write(path, "kept");
    assert.equal((await files.stat(path))?.mode, 0o600, "an existing file keeps its mode");
    await files.chmod(path, 0o4711);
    assert.equal((await files.stat(path))?.mode, 0o4711);
    await files.sync(path);
  });

  claim("a directory is made with parents, listed in order and removed if empty", async (under) => {
    const { files } = under.machine;
    const deep = join(under.directory, "a", "b");
    await files.makeDirectory(deep, { mode: 0o700 });
    assert.equal((await files.stat(deep))?.mode, 0o700);
    await files.makeDirectory(deep, { mode: 0o755 });
    assert.equal((await files.stat(deep))?.mode, 0o700, "one that exists stays as it is");
    for (const name of ["z", "b", ".h"]) await files.write(join(deep, name), name);
    assert.deepEqual(await files.list(deep), [".h", "b", "z"]);
    await assert.rejects(files.remove(deep), { code: "ENOTEMPTY" });
    await assert.rejects(files.read(deep), { code: "EISDIR" });
    await assert.rejects(files.makeDirectory(join(deep, "z")), { code: "EEXIST" });
    await files.sync(deep);
    for (const name of await files.list(deep)) await files.remove(join(deep, name));
    await files.remove(deep);
    assert.equal(await files.stat(deep), undefined);
  });

  claim("a rename replaces, and carries a directory whole", async ({ machine, directory }) => {
    const { files } = machine;
    const [a, b] = [join(directory, "a"), join(directory, "b")];
    await files.write(a, "one");
    await files.write(b, "two");
    await files.rename(a, b);
    assert.equal(await text(machine, b), "one");
    assert.equal(await files.stat(a), undefined);
    await files.makeDirectory(join(directory, "home"));
    await files.write(join(directory, "home", "x"), "x");
    await files.rename(join(directory, "home"), join(directory, "archive"));
    assert.equal(await text(machine, join(directory, "archive", "x")), "x");
    await files.write(join(directory, "archive", "y"), "y");
    assert.deepEqual(await files.list(join(directory, "archive")), ["x", "y"]);
    assert.deepEqual(await files.list(directory), ["archive", "b"]);
    await assert.rejects(files.rename(a, b), { code: "ENOENT" });
    await assert.rejects(files.rename(b, join(directory, "archive")), { code: "EISDIR" });
    await assert.rejects(files.rename(join(directory, "archive"), b), { code: "ENOTDIR" });
  });

  claim("two links are one file until one of them is replaced", async ({ machine, directory }) => {
    const { files } = machine;
    const [a, b, c] = [join(directory, "a"), join(directory, "b"), join(directory, "c")];
    await files.write(a, "one");
    await files.link(a, b);
    await files.write(a, "two");
    assert.equal(await text(machine, b), "two");
    await assert.rejects(files.link(a, b), { code: "EEXIST" });
    await assert.rejects(files.link(c, join(directory, "d")), { code: "ENOENT" });
    await files.rename(a, b);
    assert.deepEqual(await files.list(directory), ["a", "b"], "a rename between two names of one file does nothing");
    await files.write(c, "three");
    await files.rename(c, a);
    assert.deepEqual([await text(machine, a), await text(machine, b)], ["three", "two"]);
  });

  claim("reads and writes follow symlinks; stat, remove and rename see the link itself", async (under) => {
    const { machine, directory, symlink } = under;
    const { files } = machine;
    const [real, link, lost] = [join(directory, "real"), join(directory, "link"), join(directory, "lost")];
    await files.makeDirectory(join(directory, "folder"));
    await symlink("real", link);
    await symlink(join(directory, "folder"), join(directory, "way"));
    await symlink("folder/none", lost);
    assert.equal((await files.stat(link))?.kind, "symlink");
    await files.write(link, "through");
    assert.equal(await text(machine, real), "through");
    assert.equal(await files.resolve(link), real);
    assert.equal(await files.resolve(lost), join(directory, "folder", "none"), "also one that names nothing");
    assert.equal(await files.resolve(join(directory, "way", "new")), join(directory, "folder", "new"));
    assert.equal(await files.resolve(join(directory, "no", "such")), join(directory, "no", "such"));
    await files.write(join(directory, "way", "inside"), "inside");
    assert.deepEqual(await files.list(join(directory, "way")), ["inside"]);
    await files.remove(link);
    assert.equal(await text(machine, real), "through");
    assert.equal(await files.stat(link), undefined);
  });

  claim("a symlink that turns in a circle is an error", async ({ machine: { files }, directory, symlink }) => {
    await symlink("b", join(directory, "a"));
    await symlink("a", join(directory, "b"));
    await assert.rejects(files.resolve(join(directory, "a")), { code: "ELOOP" });
  });

  const reads = { changes: false, deadline: 10_000 };
  claim("a command gives its output and its exit code, zero or not", async ({ machine }) => {
    const said = await machine.run(["sh", "-c", "cat; echo to stderr >&2; exit 3"], { ...reads, input: "given" });
    assert.deepEqual(said, { code: 3, stdout: "given", stderr: "to stderr\n" });
  });

  claim("a program that does not exist is code 127", async ({ machine }) => {
    assert.equal((await machine.run(["no-such-program-here"], reads)).code, 127);
  });

  claim("a command past its deadline or signal is killed, and the call throws", async ({ machine }) => {
    await assert.rejects(machine.run(["sh", "-c", "sleep 60 & wait"], { ...reads, deadline: 50 }));
    const ending = new AbortController();
    const running = machine.run(["sh", "-c", "sleep 60"], { ...reads, signal: ending.signal });
    ending.abort(new Error("enough"));
    await assert.rejects(running);
    await assert.rejects(machine.run(["sh", "-c", "exit 0"], { ...reads, signal: ending.signal }), /enough/);
  });

  claim("an incarnation is stable without restarts, and unknown for a missing daemon", async (under) => {
    const { machine, directory } = under;
    assert.equal(await machine.incarnation(), await machine.incarnation());
    assert.equal(await machine.incarnation({ pidFile: join(directory, "none.pid") }), undefined);
  });
}

const pick = (stat: { kind: string; mode: number; size: number } | undefined) =>
  stat && { kind: stat.kind, mode: stat.mode, size: stat.size };

/** The shell of the contract, for machines whose programs are simulated. */
export async function shellProgram(call: {
  arguments: readonly string[];
  input: string | undefined;
}): Promise<Partial<Output>> {
  const script = call.arguments[1] ?? "";
  if (script.startsWith("sleep")) await new Promise(() => {});
  if (script.startsWith("cat")) return { code: 3, stdout: call.input ?? "", stderr: "to stderr\n" };
  return {};
}
