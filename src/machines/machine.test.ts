import { mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MachineUnderTest, machineContract, shellProgram } from "../../test/contracts/machine.ts";
import { memoryMachine } from "../testing/memory-machine.ts";
import { dryMachine } from "./dry.ts";
import { realMachine } from "./real.ts";

async function real(): Promise<MachineUnderTest> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "trigger-machine-")));
  return { machine: realMachine(), directory, symlink, dispose: () => rm(directory, { recursive: true }) };
}

async function memory(): Promise<MachineUnderTest & { machine: ReturnType<typeof memoryMachine> }> {
  const machine = memoryMachine({ programs: { sh: shellProgram } });
  await machine.files.makeDirectory("/srv/test");
  return { machine, directory: "/srv/test", symlink: machine.symlink };
}

machineContract("real", real);
machineContract("memory", memory);
machineContract("dry over real", async () => {
  const under = await real();
  return { ...under, machine: dryMachine(under.machine) };
});
machineContract("dry over memory", async () => {
  const under = await memory();
  return { ...under, machine: dryMachine(under.machine) };
});
