import { iscDhcp } from "trigger";
import { ifHere, out } from "../lib/here.ts";
import { hasAccess } from "../lib/members.ts";

// A machine gets its address while its owner has paid and is not banned.
export default iscDhcp({
  select(machine, directory) {
    if (!machine.is("ieee802Device") || !hasAccess(machine, directory)) return;
    const ip = machine.all("ipHostNumber").find((address) => !address.includes(":"));
    if (ip === undefined) return; // a machine with IPv6 alone needs no DHCP
    return { mac: machine.one("macAddress"), ip, name: machine.name };
  },

  // What differs on one shared machine; real hosts need none of it.
  on: {
    dhcp1: { path: out("dhcp1/hosts.conf") },
    dhcp2: { path: out("dhcp2/hosts.conf") },
  },
  within: false,
  check: ifHere(["dhcpd", "-t", "-cf", "{staged}"], ""),
  reload: false,
});
