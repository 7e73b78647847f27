/// <reference types="node" preserve="true" />
/** The front door for tests of services. Nothing inside imports it. */

export type { Attributes, StoredEntry, Value } from "./core/directory/entry.ts";
export type { RequestedAttributes } from "./core/directory/requested-attributes.ts";
export type { AttributeType } from "./core/directory/schema.ts";
export type { Asked, Command, Files, Output, Socket, Stat } from "./core/service/host-api.ts";
export type { DirectoryState } from "./core/stream/messages.ts";
export {
  type Broker,
  BrokerTrouble,
  type Consumer,
  type Delivery,
  type Limit,
  MessageRefused,
  type Queue,
  QueueFull,
  QueueInUse,
} from "./ports/broker.ts";
export type { Clock } from "./ports/clock.ts";
export type { DirectorySource, KnownEntry, SourceChange } from "./ports/directory.ts";
export type { DaemonIdentity, Machine, RunOptions } from "./ports/machine.ts";
export type { HeldMessage } from "./testing/broker/queue.ts";
export { type ConformanceOptions, conformance, type Examined, examine, type Verdict } from "./testing/conformance.ts";
export type { Disk } from "./testing/disk.ts";
export type { TestMachine } from "./testing/kit/case.ts";
export { everydayMachine } from "./testing/kit/programs.ts";
export type { Waiting } from "./testing/kit/world.ts";
export { ldifEntries } from "./testing/ldif-entries.ts";
export { type MemoryConnection, type MemoryHub, type MemoryHubOptions, memoryHub } from "./testing/memory-broker.ts";
export { type MemoryDirectory, memoryDirectory } from "./testing/memory-directory.ts";
export {
  type MemoryHost,
  type MemoryHostOptions,
  type MemoryMessageHost,
  memoryHost,
  type ServiceOfMessages,
  type ServiceOfRows,
} from "./testing/memory-host.ts";
export {
  type Call,
  type MemoryMachine,
  type MemoryOptions,
  memoryMachine,
  type Program,
} from "./testing/memory-machine.ts";
export { type VirtualClock, virtualClock } from "./testing/virtual-clock.ts";
