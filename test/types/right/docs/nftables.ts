import { nftables } from "trigger";

export default nftables({
  rules: "/etc/nftables/gate.rules",
  sets: {
    members4: { type: "ether_addr . ipv4_addr", columns: ["mac", "ip"], counter: true },
    members6: { type: "ether_addr . ipv6_addr", columns: ["mac", "ip"], counter: true },
    class4: { type: "ipv4_addr : mark", columns: ["ip", "class"] },
    open4: { type: "ipv4_addr . inet_proto . inet_service", columns: ["open"] },
    blocked4: { type: "ipv4_addr", columns: ["net"], interval: true },
  },
  select(entry, directory) {
    if (entry.is("campusBlock")) return { net: entry.one("campusNetwork") };
    if (!entry.is("ieee802Device") || !entry.has("macAddress")) return;
    const owner = directory.parent(entry);
    if (!owner || !directory.during(undefined, owner.date("paidUntil"))) return;
    const [mac, ip, rate] = [entry.one("macAddress"), entry.one("ipHostNumber"), owner.maybe("campusClass")];
    const open = entry.all("campusOpenPort").map((port) => ({ open: `${ip} . tcp . ${port}` }));
    return [rate === undefined ? { mac, ip } : { mac, ip, class: rate }, ...open];
  },
  on: { gate2: { rules: "/etc/nftables/gate2.rules" } },
});
