import { files, Hostname, Ip, z } from "trigger";

export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  select(host) {
    if (!host.is("ipHost")) return;
    return { name: host.name, ip: host.one("ipHostNumber") };
  },
  files: (rows) => ({
    path: "/etc/unbound/unbound.conf.d/campus.conf",
    text: `server:\n${[...rows].map(({ name, ip }) => `  local-data: "${name}.campus.example. A ${ip}"\n`).join("")}`,
  }),
  check: ["unbound-checkconf", "{staged}"],
  reload: ["unbound-control", "reload"],
});
