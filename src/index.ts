/// <reference types="node" preserve="true" />
/** The front door: what a project imports from "trigger". Nothing inside imports it. */

export { z } from "zod";
export type { BrokerConfig } from "./core/config/broker-config.ts";
export { type Config, defineConfig } from "./core/config/config.ts";
export type { LdapDirectory, LdifDirectory } from "./core/config/directory-config.ts";
export type { EvaluationLimits } from "./core/config/evaluation.ts";
export type { RemovalLimit, Removals } from "./core/config/removals.ts";
export type { Senders } from "./core/config/senders-config.ts";
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
  type WaitingRow,
} from "./core/service/service.ts";
export {
  Away,
  CommandFailed,
  Fatal,
  Held,
  Later,
  type Outcome,
  Refusal,
  type RefusalOptions,
  UserError,
} from "./core/util/errors.ts";
export type { Columns, Json } from "./core/util/json.ts";
export { type BindOptions, type BindSettings, bind } from "./services/bind.ts";
export { type BindZoneOptions, type BindZoneSettings, bindZone } from "./services/bind-zone.ts";
export { type CommandSettings, command } from "./services/command.ts";
export type { OmapiOptions } from "./services/dhcpd/omapi.ts";
export type { ZoneRow } from "./services/dns/zone-row.ts";
export { type FileSettings, files } from "./services/files.ts";
export {
  type FreeradiusOptions,
  type FreeradiusSettings,
  freeradius,
  type RadiusProbe,
} from "./services/freeradius.ts";
export type { QuotaSettings } from "./services/home/quota.ts";
export { type HomeRow, type HomesOptions, type HomesSettings, homes } from "./services/homes.ts";
export { type DhcpRow, type IscDhcpOptions, type IscDhcpSettings, iscDhcp } from "./services/isc-dhcp.ts";
export type { ClientColumn, KeaRow, KeaRowBy } from "./services/kea/row.ts";
export { type KeaByDuid, type KeaByMac, type KeaOptions, type KeaSettings, kea } from "./services/kea.ts";
export type { AliasRow, OfPeople } from "./services/mail/aliases.ts";
export {
  type MemberSets,
  type NftablesOptions,
  type NftablesSettings,
  nftables,
  type RowIn,
  type SetIn,
  type SetsIn,
} from "./services/nftables.ts";
export { type PostfixOptions, type PostfixSettings, postfix } from "./services/postfix.ts";
export type { ReplyType } from "./services/radius/columns.ts";
export type { MacForm, RadiusUser } from "./services/radius/users.ts";
export { type Converged, converge, type Move, overtaken, type Records } from "./services/records.ts";
export type { DiscoveryName, ReservedHostNames } from "./services/reserved-host-names.ts";
export type { Claims, Daemon, Entries, PerHost, ReadyService, Selected } from "./services/settings.ts";
