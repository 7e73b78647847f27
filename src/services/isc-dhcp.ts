import { z } from "zod";
import { Hostname, Ipv4, Mac } from "../core/service/columns.ts";
import type { Host } from "../core/service/host-api.ts";
import { type Select, service } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { Refusal, UserError } from "../core/util/errors.ts";
import { declaredHosts } from "./dhcpd/host-declarations.ts";
import { onInstalled } from "./dhcpd/installed.ts";
import { observeOmapi, omapiSettings, runOmapi } from "./dhcpd/omapi.ts";
import { selecting } from "./entries.ts";
import { daemon, notice, type Options, path, readSettings, step, stepsOf } from "./settings.ts";

/** A machine with its fixed IPv4 address. */
export const dhcpRow = z.object({ mac: Mac, ip: Ipv4, name: Hostname });
type DhcpRow = z.output<typeof dhcpRow>;

const settings = z.strictObject({
  /** The file of host declarations. */
  path: path.default("/etc/dhcp/trigger-hosts.conf"),
  /** The configuration that includes it, checked as a whole; false when none does. */
  within: path.or(z.literal(false)).default("/etc/dhcp/dhcpd.conf"),
  check: step.default(["dhcpd", "-t", "-cf", "{staged}"]),
  reload: step.default(["systemctl", "restart", "isc-dhcp-server"]),
  probe: step.default(false),
  /** Changes go to the running dhcpd over OMAPI, and the file stays empty. */
  omapi: omapiSettings.optional(),
  daemon: daemon.default({ unit: "isc-dhcp-server.service" }),
});

/** The options of `iscDhcp`. */
export interface IscDhcpOptions extends Options<typeof settings, z.input<typeof dhcpRow>> {}

/**
 * Fixed addresses in ISC dhcpd: over OMAPI, which changes the running daemon, or else as host declarations in a file of their own
 * that dhcpd.conf includes (`include "/etc/dhcp/trigger-hosts.conf";`), for which dhcpd is restarted.
 *
 * @example
 * export default iscDhcp({ omapi: { keyFile: "/etc/dhcp/omapi.key" } });
 */
export function iscDhcp(options: IscDhcpOptions = {}) {
  const { select, entries, ...given } = options;
  const settingsOf = readSettings("iscDhcp", settings, given);
  const general = settingsOf("");
  const each = [general, ...Object.keys(given.on ?? {}).map(settingsOf)];
  if (each.some(({ daemon }) => canonical(daemon) !== canonical(general.daemon))) {
    throw new UserError("iscDhcp: on: the daemon is the same on every host");
  }
  return service({
    row: dhcpRow,
    unique: ["mac", "ip", "name"],
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
      // What an earlier configuration put into the file would stand in the way of the same hosts over OMAPI.
      if (!table.changes && (await readHosts(host, path)).length > 0) await install([]);
      return runOmapi(table, host, omapi);
    },
    observe(host) {
      const { path, omapi } = settingsOf(host.name);
      return omapi ? observeOmapi(host, omapi) : readHosts(host, path);
    },
  });
}

/** The hosts of the file: dhcpd cannot say which ones it has loaded. */
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
 * The machines of RFC 2307: an ieee802Device that is an ipHost, under the first label of its name; one without an IPv4 address has no row.
 * Several addresses are refused: values of an attribute have no order, so nothing says which MAC address goes with which.
 */
const machines: Select<z.input<typeof dhcpRow>> = (machine) => {
  if (!machine.is("ieee802Device") || !machine.has("macAddress")) return;
  const [ip, ...others] = machine.all("ipHostNumber").filter((address) => !address.includes(":"));
  if (ip === undefined) return;
  if (others.length > 0) {
    throw new Refusal(`ipHostNumber has several IPv4 addresses (${[ip, ...others].join(", ")}): expected one`);
  }
  return { mac: machine.one("macAddress"), ip, name: machine.name.split(".")[0] ?? "" };
};
