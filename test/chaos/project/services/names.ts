import { files, Hostname, Ip, z } from "trigger";
import { hasAccess } from "../lib/members.ts";
import { at } from "../lib/place.ts";

// A file with a check, and a daemon that serves what it read at its last reload.
export default files({
  row: z.object({ id: z.string(), name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 100,
  select(machine, directory) {
    if (!machine.is("ipHost") || !hasAccess(machine, directory)) return;
    return { id: machine.uuid, name: machine.name, ip: machine.one("ipHostNumber") };
  },
  files: (rows, host) => ({
    path: at(`out/${host.name}/names`),
    text: `${[...rows].map((row) => `${row.id} ${row.name} ${row.ip}\n`).join("")}# end ${rows.size}\n`,
  }),
  on: Object.fromEntries(["ns", "gate", "box"].map((host) => [host, steps(at(`out/${host}`))])),
});

function steps(folder: string) {
  return { check: ["sh", at("check.sh"), "{staged}"], reload: ["sh", at("reload.sh"), folder] } as const;
}
