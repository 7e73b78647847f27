import { z } from "zod";
import { Hostname } from "../core/service/columns.ts";
import type { Host, Step } from "../core/service/host-api.ts";
import { type Select, service } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { Refusal, UserError } from "../core/util/errors.ts";
import { declaredHosts } from "./dhcpd/host-declarations.ts";
import { onInstalled } from "./dhcpd/installed.ts";
import { type OmapiOptions, observeOmapi, omapiSettings, runOmapi } from "./dhcpd/omapi.ts";
import { claiming, selecting } from "./entries.ts";
import { MachineIpv4, MachineMac } from "./machine-address.ts";
import { type ReservedHostNames, reservedSettings, unreserved, unreservedAddress } from "./reserved-host-names.ts";
import {
  type Daemon,
  daemon,
  notice,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
  step,
  stepsOf,
} from "./settings.ts";

/** A machine with its fixed IPv4 address. */
export const dhcpRow = (reserved: ReservedHostNames = {}) =>
  z.object({
    mac: MachineMac,
    ip: unreservedAddress(MachineIpv4, reserved.reserved),
    name: unreserved(Hostname, reserved),
  });

/** A machine with its fixed IPv4 address. */
export type DhcpRow = {
  /** The MAC address. */
  readonly mac: string;
  /** The IPv4 address. */
  readonly ip: string;
  /** The host name, without a domain. */
  readonly name: string;
};

/** The settings of `iscDhcp`. */
export interface IscDhcpSettings extends ReservedHostNames {
  /** The file of host declarations; `/etc/dhcp/trigger-hosts.conf` by default. */
  readonly path?: string;
  /** The configuration that includes the file, checked as a whole; `/etc/dhcp/dhcpd.conf` by default, false if none does. */
  readonly within?: string | false;
  /** The check of the staged file; `dhcpd -t` by default. */
  readonly check?: Step | false;
  /** The step that makes dhcpd read the file; a restart of `isc-dhcp-server` by default. */
  readonly reload?: Step | false;
  /** The step that verifies that dhcpd serves the file; none by default. */
  readonly probe?: Step | false;
  /** OMAPI, which changes the running dhcpd while the file stays empty. By default, the file is written. */
  readonly omapi?: OmapiOptions;
  /** The daemon whose restart causes a run on all rows; the unit `isc-dhcp-server.service` by default. */
  readonly daemon?: Daemon;
}

const settings = z.strictObject({
  path: path.default("/etc/dhcp/trigger-hosts.conf"),
  within: path.or(z.literal(false)).default("/etc/dhcp/dhcpd.conf"),
  check: step.default(["dhcpd", "-t", "-cf", "{staged}"]),
  reload: step.default(["systemctl", "restart", "isc-dhcp-server"]),
  probe: step.default(false),
  omapi: omapiSettings.optional(),
  daemon: daemon.default({ unit: "isc-dhcp-server.service" }),
  ...reservedSettings,
} satisfies Schemas<IscDhcpSettings>);

/** The options of `iscDhcp`. */
export interface IscDhcpOptions extends IscDhcpSettings, PerHost<IscDhcpSettings>, Selected<DhcpRow> {}

/**
 * Fixed addresses in ISC dhcpd. Over OMAPI the running daemon is changed. Otherwise they are host declarations in a file
 * that dhcpd.conf includes (`include "/etc/dhcp/trigger-hosts.conf";`), and each change restarts dhcpd.
 *
 * @example
 * ```ts
 * export default iscDhcp({ omapi: { keyFile: "/etc/dhcp/omapi.key" } });
 * ```
 */
export function iscDhcp(options: IscDhcpOptions = {}): ReadyService<DhcpRow> {
  const { select, entries, claims, ...given } = options;
  const settingsOf = readSettings("iscDhcp", settings, given);
  const general = settingsOf("");
  const each = [general, ...Object.keys(given.on ?? {}).map(settingsOf)];
  for (const option of ["daemon", "reserved", "allowed"] as const) {
    if (each.some((one) => canonical(one[option]) !== canonical(general[option]))) {
      throw new UserError(`iscDhcp: on: ${option} is the same on every host`);
    }
  }
  return service({
    row: dhcpRow(general) as z.ZodType<DhcpRow, DhcpRow>,
    unique: ["mac", "ip", "name"],
    ...claiming("iscDhcp", claims),
    select: selecting("iscDhcp", machines, { select, entries }),
    shared: each.some(({ omapi }) => omapi !== undefined),
    daemon: general.daemon,
    async run(table, host) {
      const { path, within, omapi, check, reload, probe } = settingsOf(host.name);
      const install = async (rows: Iterable<DhcpRow>) => {
        const file = { path, text: dhcpHosts(rows), ...(within ? { within } : {}) };
        await onInstalled(host, check, host.install(file, stepsOf({ check, reload, probe })));
      };
      if (!omapi) return install(table.rows);
      // The hosts that an earlier configuration put into the file would conflict with the same hosts over OMAPI.
      if (!table.changes && (await readHosts(host, path)).length > 0) await install([]);
      return runOmapi(table, host, omapi);
    },
    observe(host) {
      const { path, omapi } = settingsOf(host.name);
      return omapi ? observeOmapi(host, omapi) : readHosts(host, path);
    },
  });
}

/** The hosts of the file: dhcpd cannot list those that it has loaded. */
async function readHosts({ files }: Host, path: string): Promise<DhcpRow[]> {
  const bytes = await files.read(path);
  return declaredHosts(bytes ? new TextDecoder().decode(bytes) : "");
}

/** The text of the host declarations, in the order of the rows. */
export function dhcpHosts(rows: Iterable<DhcpRow>): string {
  let text = `# ${notice}\n`;
  for (const { mac, ip, name } of rows) {
    text += `host ${name} { hardware ethernet ${mac}; fixed-address ${ip}; option host-name "${name}"; }\n`;
  }
  return text;
}

/**
 * The machines of RFC 2307: an ieee802Device that is an ipHost, under the first label of its name. One without an IPv4
 * address has no row. Several addresses are refused: values of an attribute have no order, so none of them can be matched with
 * a MAC address.
 */
const machines: Select<DhcpRow> = (machine) => {
  if (!machine.is("ieee802Device") || !machine.has("macAddress")) return;
  const [ip, ...others] = machine.all("ipHostNumber").filter((address) => !address.includes(":"));
  if (ip === undefined) return;
  if (others.length > 0) {
    throw new Refusal(`ipHostNumber has several IPv4 addresses (${[ip, ...others].join(", ")}): expected one`);
  }
  return { mac: machine.one("macAddress"), ip, name: machine.name.split(".")[0] ?? "" };
};
