/// <reference types="node" preserve="true" />
/** The front door: what a project imports from "trigger". Nothing inside imports it. */

export { z } from "zod";
export type { BrokerConfig } from "./core/config/broker-config.ts";
export { type Config, defineConfig } from "./core/config/config.ts";
export type { LdapDirectory, LdifDirectory } from "./core/config/directory-config.ts";
export type { RemovalLimit, Removals } from "./core/config/removals.ts";
export type { Signing } from "./core/config/signing-config.ts";
export type { Waves, WavesOf } from "./core/config/waves.ts";
export type { Attributes, Directory, Entry, StoredEntry, Value } from "./core/directory/entry.ts";
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
} from "./core/service/columns.ts";
export type {
  Asked,
  AskOptions,
  CheckAs,
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
  User,
} from "./core/service/host-api.ts";
export { type Registry, registry } from "./core/service/registry.ts";
export {
  type Change,
  type Checked,
  type KeptRow,
  type PlainService,
  type Rows,
  type Run,
  type RunResult,
  type Select,
  type Service,
  service,
  type Table,
  type TableDeclaration,
  type TableService,
} from "./core/service/service.ts";
export { Away, CommandFailed, Fatal, Held, Later, Refusal, UserError } from "./core/util/errors.ts";
export type { Columns, Json } from "./core/util/json.ts";
export { type BindOptions, bind } from "./services/bind.ts";
export { type BindZoneOptions, bindZone } from "./services/bind-zone.ts";
export { type CommandSettings, command } from "./services/command.ts";
export { type FileSettings, files } from "./services/files.ts";
export { type FreeradiusOptions, freeradius, type ReplyType } from "./services/freeradius.ts";
export { type HomesOptions, homes } from "./services/homes.ts";
export { type IscDhcpOptions, iscDhcp } from "./services/isc-dhcp.ts";
export { type KeaOptions, kea } from "./services/kea.ts";
export type { OfPeople } from "./services/mail/aliases.ts";
export { type NftablesOptions, nftables, type RowIn, type SetsIn } from "./services/nftables.ts";
export { type PostfixOptions, postfix } from "./services/postfix.ts";
export type { RadiusUser } from "./services/radius/users.ts";
export { type Converged, converge, type Move, overtaken, type Records } from "./services/records.ts";
export type { Entries, PerHost, Selected } from "./services/settings.ts";
