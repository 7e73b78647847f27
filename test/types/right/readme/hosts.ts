// services/hosts.ts
import { Hostname, Ip, service, z } from "trigger";

export default service({
  row: z.object({ ip: Ip, name: Hostname }),
  unique: ["ip", "name"],
  select(machine) {
    // at the transcriber: what hosts need to know of an entry
    if (!machine.is("ipHost")) return;
    return { ip: machine.one("ipHostNumber"), name: machine.name };
  },
  async run({ rows }, host) {
    // on each host: make it so
    const lines = [...rows].map(({ ip, name }) => `${ip} ${name}\n`);
    await host.install({ path: "/etc/hosts.campus", text: lines.join("") });
  },
});
