import { type Directory, type Entry, iscDhcp, kea } from "trigger";
import { ifHere, live, out } from "../lib/here.ts";
import { hasAccess } from "../lib/members.ts";

const running = live("kea");

// Into Kea while it runs, or as a file for ISC dhcpd. A project of your own has one of the two.
export default running
  ? kea({ select, ...running })
  : iscDhcp({
      select,

      // Settings for one shared machine; real hosts need none of them.
      on: {
        dhcp1: { path: out("dhcp1/hosts.conf") },
        dhcp2: { path: out("dhcp2/hosts.conf") },
      },
      within: false,
      check: ifHere(["dhcpd", "-t", "-cf", "{staged}"], ""),
      reload: false,
    });

// A machine gets its address while its owner has paid and is not banned.
function select(machine: Entry, directory: Directory) {
  if (!machine.is("ieee802Device") || !hasAccess(machine, directory)) return;
  const ip = machine.all("ipHostNumber").find((address) => !address.includes(":"));
  if (ip === undefined) return; // a machine with IPv6 alone needs no DHCP
  return { mac: machine.one("macAddress"), ip, name: machine.name };
}
