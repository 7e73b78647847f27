/// <reference types="node" preserve="true" />
/** The front door: what a project imports from "trigger". Nothing inside imports it. */

export { z } from "zod";
export {
  AbsolutePath,
  column,
  DomainName,
  Hostname,
  Ip,
  Ipv4,
  Ipv6,
  Mac,
  Mail,
  Prefix,
  Uid,
  UserName,
} from "./core/columns.ts";
export { type Config, defineConfig } from "./core/config.ts";
export type { Attributes, Directory, Entry, StoredEntry, Value } from "./core/entry.ts";
export type {
  Asked,
  AskOptions,
  Command,
  Files,
  Host,
  Installed,
  InstallFile,
  InstallSteps,
  Memory,
  Output,
  Owned,
  Socket,
  Stat,
  Step,
} from "./core/host.ts";
export { Away, CommandFailed, Fatal, Held, Later, Refusal, UserError } from "./core/outcome.ts";
export { type Registry, registry } from "./core/registry.ts";
export {
  type Change,
  type Columns,
  type Json,
  type KeptRow,
  type PlainService,
  type Rows,
  type Run,
  type RunResult,
  type Select,
  type Service,
  service,
  type TableService,
} from "./core/service.ts";
export { bind } from "./services/bind.ts";
export { bindZone } from "./services/bind-zone.ts";
export { command } from "./services/command.ts";
export { files } from "./services/files.ts";
export { freeradius } from "./services/freeradius.ts";
export { homes } from "./services/homes.ts";
export { iscDhcp } from "./services/isc-dhcp.ts";
export { kea } from "./services/kea.ts";
export { nftables } from "./services/nftables.ts";
export { postfix } from "./services/postfix.ts";
export { type Converged, converge, type Move, overtaken, type Records } from "./services/records.ts";
