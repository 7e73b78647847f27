import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { Daemon } from "./daemons.ts";

const hosts = ["dhcp1", "dhcp2"];
const subnets = ["10.42.0.0/16", "10.43.0.0/16", "10.44.0.0/16"];

/**
 * Two Kea servers, which hold the reservations that their services give them. They listen on no interface, so they
 * serve no client and need no root.
 */
export const keaDaemon: Daemon = {
  name: "kea",
  programs: { "kea-dhcp4": "kea-dhcp4-server" },
  live: "Kea runs for dhcp1 and dhcp2, and gets its reservations over its control socket (it hears no client here)",
  otherwise: "dhcp1 and dhcp2 write files for ISC dhcpd",
  async start({ folder, signal, run }) {
    const socketOf = (host: string): string => join(folder, host, "socket");
    const keas = hosts.map((host) => {
      const own = join(folder, host);
      const at = (name: string): string => join(own, name);
      mkdirSync(own);
      chmodSync(own, 0o750); // from 2.6.3 on Kea takes no socket in a folder with any other rights
      writeFileSync(at("kea.json"), JSON.stringify(configuration(socketOf(host)), undefined, 2));
      const env = { KEA_CONTROL_SOCKET_DIR: own, KEA_LOCKFILE_DIR: own, KEA_PIDFILE_DIR: own };
      return { host, kea: run(["kea-dhcp4", "-c", at("kea.json")], { log: at("log"), env }) };
    });
    await Promise.all(keas.map(({ host, kea }) => kea.answers(() => ask(socketOf(host), "version-get"), signal)));
    return {
      reach: { on: Object.fromEntries(hosts.map((host) => [host, { socket: socketOf(host) }])) },
      async serves() {
        const lines = await Promise.all(hosts.map((host) => reservations(socketOf(host))));
        return Object.fromEntries(hosts.map((host, index) => [`${host}/served.reservations`, lines[index] ?? ""]));
      },
    };
  },
};

const configuration = (socket: string) => ({
  Dhcp4: {
    "interfaces-config": { interfaces: [] },
    "control-socket": { "socket-type": "unix", "socket-name": socket },
    "lease-database": { type: "memfile", persist: false },
    subnet4: subnets.map((subnet, index) => ({ id: index + 1, subnet })),
    loggers: [{ name: "kea-dhcp4", output_options: [{ output: "stdout" }], severity: "WARN" }],
  },
});

const Reservation = z.object({ hostname: z.string(), "hw-address": z.string(), "ip-address": z.string() });
const Configured = z.object({
  arguments: z.object({ Dhcp4: z.object({ subnet4: z.array(z.object({ reservations: z.array(Reservation) })) }) }),
});

/** The reservations that Kea holds: a line with the name, MAC address and address of each, sorted by name. */
async function reservations(socket: string): Promise<string> {
  const { subnet4 } = Configured.parse(await ask(socket, "config-get")).arguments.Dhcp4;
  const lines = subnet4.flatMap((subnet) =>
    subnet.reservations.map((one) => `${one.hostname} ${one["hw-address"]} ${one["ip-address"]}\n`),
  );
  return lines.sort().join("");
}

async function ask(socket: string, command: string): Promise<unknown> {
  const connection = createConnection(socket);
  connection.write(JSON.stringify({ command }));
  return JSON.parse(await text(connection));
}
