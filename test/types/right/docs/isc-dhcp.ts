import { iscDhcp } from "trigger";

export default iscDhcp({
  omapi: { keyFile: "/etc/dhcp/omapi.key" },
  select(machine, directory) {
    if (!machine.is("ieee802Device") || !machine.has("macAddress")) return;
    const owner = directory.parent(machine);
    if (!owner || !directory.during(undefined, owner.date("paidUntil"))) return;
    return { mac: machine.one("macAddress"), ip: machine.one("ipHostNumber"), name: machine.name };
  },
  on: { dhcp2: { omapi: { leases: "/srv/dhcp/dhcpd.leases" } } },
});
