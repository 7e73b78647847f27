import { z } from "zod";
import { Hostname, Ipv4, Mac } from "../core/columns.ts";
import { Refusal } from "../core/outcome.ts";
import { type Select, service } from "../core/service.ts";
import { notice, type Options, path, readSettings, step, stepsOf } from "./settings.ts";

/** A machine with its fixed IPv4 address. */
export const dhcpRow = z.object({ mac: Mac, ip: Ipv4, name: Hostname });

const settings = z.strictObject({
  /** The file of host declarations. */
  path: path.default("/etc/dhcp/trigger-hosts.conf"),
  /** The configuration that includes it, checked as a whole; false when none does. */
  within: path.or(z.literal(false)).default("/etc/dhcp/dhcpd.conf"),
  check: step.default(["dhcpd", "-t", "-cf", "{staged}"]),
  reload: step.default(["systemctl", "restart", "isc-dhcp-server"]),
  probe: step.default(false),
});

/**
 * Host declarations for ISC dhcpd, in a file of their own that dhcpd.conf includes: `include "/etc/dhcp/trigger-hosts.conf";`.
 * dhcpd reads its configuration only when it starts, so a change restarts it.
 *
 * @example
 * export default iscDhcp({ on: { dhcp2: { reload: ["service", "dhcpd", "restart"] } } });
 */
export function iscDhcp(options: Options<typeof settings, z.input<typeof dhcpRow>> = {}) {
  const { select = machines, ...given } = options;
  const settingsOf = readSettings("iscDhcp", settings, given);
  return service({
    row: dhcpRow,
    unique: ["mac", "ip", "name"],
    select,
    async run({ rows }, host) {
      const { path, within, ...steps } = settingsOf(host.name);
      await host.install({ path, text: dhcpHosts(rows), ...(within ? { within } : {}) }, stepsOf(steps));
    },
  });
}

/** The text of the host declarations, in the order of the rows. */
export function dhcpHosts(rows: Iterable<z.output<typeof dhcpRow>>): string {
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
