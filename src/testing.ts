/// <reference types="node" preserve="true" />
/** The front door for tests of services. Nothing inside imports it. */

export type { Attributes, StoredEntry, Value } from "./core/directory/entry.ts";
export type { Asked, Command, Files, Output, Socket, Stat } from "./core/service/host-api.ts";
export type { DaemonIdentity, Machine, RunOptions } from "./ports/machine.ts";
export { type ConformanceOptions, conformance, type Examined } from "./testing/conformance.ts";
export type { Disk } from "./testing/disk.ts";
export type { TestMachine } from "./testing/kit/case.ts";
export { everydayMachine } from "./testing/kit/programs.ts";
export { ldifEntries } from "./testing/ldif-entries.ts";
export type { Call, MemoryMachine, Program } from "./testing/memory-machine.ts";
