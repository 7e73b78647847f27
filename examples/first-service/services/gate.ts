import { fileURLToPath } from "node:url";
import { Hostname, Ip, service, UserName, z } from "trigger";

const list = fileURLToPath(new URL("../out/gate.list", import.meta.url));
const daemon = fileURLToPath(new URL("../out/gate/", import.meta.url)); // stands for a daemon: a folder that takes a copy

export default service({
  row: z.object({ ip: Ip, name: Hostname, owner: UserName }),
  unique: ["ip", "name"],
  select(machine, directory) {
    if (!machine.is("ipHost")) return;
    const [owner] = directory.follow(machine, "owner");
    if (!owner?.has("paidUntil")) return;
    if (!directory.during(undefined, owner.date("paidUntil"))) return;
    return { ip: machine.one("ipHostNumber"), name: machine.name, owner: owner.one("uid") };
  },
  async run({ rows }, host) {
    const lines = [...rows].map(({ ip, name, owner }) => `${ip} ${name} ${owner}\n`);
    await host.install(
      { path: list, text: lines.join("") },
      {
        check: ["awk", "NF != 3 { exit 1 }", "{staged}"],
        reload: ["cp", list, daemon],
        probe: ["cmp", list, `${daemon}gate.list`],
      },
    );
  },
});
