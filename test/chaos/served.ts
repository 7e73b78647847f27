import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ServiceName } from "./expected.ts";
import { type Network, zones } from "./network.ts";

/** The content of the files and the answers of the daemons, as lines. */

export interface Served {
  readonly host: string;
  readonly service: ServiceName;
  lines(): Promise<string[]>;
}

const run = promisify(execFile);

export function served({ project, named, kea }: Network): Served[] {
  const rows = (name: string): string[] =>
    (project.read(name) ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const names = ["ns", "gate", "box"].map(
    (host): Served => ({ host, service: "names", lines: async () => rows(`out/${host}/served`) }),
  );
  const aliases = ["mail", "box"].map(
    (host): Served => ({ host, service: "aliases", lines: () => aliasesIn(project.path(`out/${host}/virtual`)) }),
  );
  return [
    ...names,
    ...aliases,
    { host: "mail", service: "people", lines: async () => rows("out/mail/people") },
    {
      host: "ns",
      service: "dns",
      lines: async () => (await Promise.all(zones.map(named.transfer))).flat().flatMap(recordOf),
    },
    ...(kea ? [{ host: "gate", service: "dhcp", lines: () => reservationsOf(kea) } as const] : []),
  ];
}

/** A record of a zone transfer: the addresses of a name, or the name of an address. */
function recordOf(line: string): string[] {
  const [name = "", , , type, data = ""] = line.split(/\s+/);
  const label = name.replace(".campus.example.", "");
  if (type === "A") return [`${label} A ${data}`];
  if (type !== "PTR") return [];
  const ip = name.replace(".in-addr.arpa.", "").split(".").reverse().join(".");
  return [`${ip} PTR ${data.replace(".campus.example.", "")}`];
}

async function reservationsOf(kea: NonNullable<Network["kea"]>): Promise<string[]> {
  const { Dhcp4 } = await kea.running();
  return Dhcp4.subnet4.flatMap(({ reservations }) =>
    reservations.map((one) => `${one["hw-address"]} ${one["ip-address"]} ${one.hostname}`),
  );
}

/** Each alias with the answer that Postfix finds for it. */
async function aliasesIn(path: string): Promise<string[]> {
  const { stdout } = await run("postmap", ["-s", `lmdb:${path}`]);
  const keys = stdout.split("\n").flatMap((line) => line.split(/\s/)[0] || []);
  if (keys.length === 0) return [];
  const asked = run("postmap", ["-q", "-", `lmdb:${path}`]);
  asked.child.stdin?.on("error", () => {}); // postmap ended without reading; its exit code and output say why
  asked.child.stdin?.end(`${keys.join("\n")}\n`);
  return (await asked).stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replace(/\s+/, " "));
}
