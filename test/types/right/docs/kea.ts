import { kea } from "trigger";

export default kea({
  select(machine, directory) {
    if (!machine.is("ieee802Device") || !machine.has("macAddress")) return;
    const owner = directory.parent(machine);
    if (!owner || !directory.during(undefined, owner.date("paidUntil"))) return;
    const classes = owner.has("uid") ? ["members"] : [];
    return { mac: machine.one("macAddress"), ip: machine.one("ipHostNumber"), name: machine.name, classes };
  },
  database: "host=127.0.0.1 dbname=kea user=kea passfile=/etc/trigger/kea.pgpass",
  on: { dhcp2: { socket: "/run/kea/dhcp2-ctrl-socket" } },
});
