import { basename, dirname, join, normalize } from "node:path";
import type { Output } from "../../core/service/host-api.ts";
import { type Call, type MemoryMachine, memoryMachine } from "../memory-machine.ts";

/**
 * A machine in memory with a few common programs: `cat`, `cmp`, `cp`, `false`, `mkdir`, `mv`, `rm` and `touch`. Any other program exits 0
 * without output. `files` exist from the beginning: texts by absolute path.
 */
export function everydayMachine(files: Readonly<Record<string, string>> = {}): MemoryMachine {
  const machine = memoryMachine({ files, otherwise: () => ({ code: 0 }) });
  const fail = (stderr: string): Partial<Output> => ({ code: 1, stderr });
  const named = ({ arguments: words }: Call): string[] =>
    words.filter((word) => !word.startsWith("-")).map((word) => normalize(word));
  /** The path of a copied or moved file: in a folder it keeps its name. */
  const into = async (from: string, to: string): Promise<string> =>
    to.endsWith("/") || (await machine.files.stat(to))?.kind === "directory" ? join(to, basename(from)) : to;

  machine.program("touch", (call) => {
    for (const path of named(call)) machine.place(path, machine.text(path) ?? "");
  });
  machine.program("rm", async (call) => {
    for (const path of named(call)) await machine.files.remove(path);
  });
  machine.program("mkdir", async (call) => {
    for (const path of named(call)) await machine.files.makeDirectory(path);
  });
  machine.program("cp", async (call) => {
    const [from = "", to = ""] = named(call);
    const text = machine.text(from);
    if (text === undefined) return fail(`cp: ${from}: no such file`);
    machine.place(await into(from, to), text);
  });
  machine.program("mv", async (call) => {
    const [from = "", to = ""] = named(call);
    if (machine.text(from) === undefined) return fail(`mv: ${from}: no such file`);
    await machine.files.makeDirectory(dirname(to));
    await machine.files.rename(from, await into(from, to));
  });
  machine.program("cat", (call) => {
    const texts = named(call).map((path) => machine.text(path));
    return texts.includes(undefined) ? fail("cat: no such file") : { stdout: texts.join("") };
  });
  machine.program("cmp", (call) => {
    const [one = "", other = ""] = named(call);
    return machine.text(one) === machine.text(other) && machine.text(one) !== undefined ? {} : fail("they differ");
  });
  machine.program("false", () => fail(""));
  return machine;
}
