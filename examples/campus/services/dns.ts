import { bind, bindZone, type Directory, type Entry } from "trigger";
import { ifHere, live, out } from "../lib/here.ts";
import { hasAccess } from "../lib/members.ts";

const named = live("named");

// One name per machine, with all of its addresses, and their reverse zones.
const names = {
  zone: "campus.example",
  reverse: ["10.42.0.0/16", "10.43.0.0/16", "10.44.0.0/16", "2001:db8:42::/48"],
  select(machine: Entry, directory: Directory) {
    if (!machine.is("ipHost") || !hasAccess(machine, directory)) return;
    return { name: machine.name, ips: machine.all("ipHostNumber") };
  },
};

// Into a server that takes signed updates, or as zone files. A project of your own has one of the two.
export default named
  ? bind({ ...names, reserved: ["ns1", "mail"], ...named })
  : bindZone({
      ...names,
      ns: ["ns1.campus.example"],
      records: ["ns1 A 10.42.0.2", "mail A 10.42.0.3", "@ MX 10 mail"],

      // Settings for one shared machine; a real host needs none of them, and has its server asked for the serials (probe).
      directory: out("ns1"),
      check: ifHere(["named-checkzone", "-i", "local", "{zone}", "{staged}"], sampleZone()),
      reload: false,
    });

function sampleZone(): string {
  return "$TTL 60\n@ IN SOA ns.example. root.example. 1 60 60 60 60\n@ IN NS ns.example.\nns IN A 192.0.2.1\n";
}
