import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { endProcess } from "./end.ts";
import { makeNetwork, type Network } from "./network.ts";

/** A private Kea in a network namespace of its own, with a client's namespace at the other end of its cable. */
export interface RunningKea extends AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  readonly network: Network;
  /** The file that it is started with. */
  readonly file: string;
  readonly log: () => string;
  /** Sends a command, as a person by hand would. */
  command(name: string, given?: object): Promise<{ result: number; text?: string; arguments?: unknown }>;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Lets it hang, or go on. */
  pause(stopped: boolean): void;
  /** What a client with this MAC address is given: real udhcpc (dhclient for IPv6), which keeps its lease. */
  lease(mac: string): Promise<{ ip: string; hostname: string } | undefined>;
}

const run = promisify(execFile);

/** A hook library that Debian's Kea comes with. */
export function hook(name: string): string {
  const [place = ""] = readdirSync("/usr/lib").filter((arch) => existsSync(`/usr/lib/${arch}/kea/hooks`));
  return `/usr/lib/${place}/kea/hooks/libdhcp_${name}.so`;
}

/** What udhcpc and dhclient run when something happens to their lease. */
const clientScript = (lease: string): string => `#!/bin/sh
[ "$1" = bound ] && echo "$ip $hostname" >${lease}
[ "$reason" = BOUND6 ] && { echo "$new_ip6_address" >${lease}; kill $PPID; }
exit 0
`;

export interface KeaOptions {
  readonly family?: 4 | 6;
  /** Reservations that somebody made by hand. */
  readonly reservations?: readonly object[];
  /** Further subnets. */
  readonly more?: readonly object[];
}

/** Starts it with these members of its configuration beside those that it needs. */
export async function startKea(
  members: object = {},
  { family = 4, reservations = [], more = [] }: KeaOptions = {},
): Promise<RunningKea> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-kea-"));
  const network = makeNetwork("kea", family === 4 ? "10.9.0.1/16" : "2001:db8:9::1/64");
  const [file, socket, lease] = [join(folder, "kea.json"), join(folder, "socket"), join(folder, "lease")];
  const subnet = family === 4 ? "10.9.0.0/16" : "2001:db8:9::/64";
  const pool = family === 4 ? "10.9.200.1 - 10.9.200.200" : "2001:db8:9::f000 - 2001:db8:9::ffff";
  const config = {
    "interfaces-config": { interfaces: ["v0"] },
    "control-socket": { "socket-type": "unix", "socket-name": socket },
    "lease-database": { type: "memfile", name: join(folder, "leases.csv"), "lfc-interval": 0 },
    "valid-lifetime": 7200,
    ...(family === 6 && { "server-id": { type: "EN", "enterprise-id": 2495, identifier: "0123", persist: false } }),
    [`subnet${family}`]: [{ id: 7, subnet, pools: [{ pool }], interface: "v0", reservations }, ...more],
    loggers: [{ name: `kea-dhcp${family}`, output_options: [{ output: "stdout" }], severity: "INFO" }],
    ...members,
  };
  writeFileSync(file, JSON.stringify({ [`Dhcp${family}`]: config }, undefined, 1));
  const script = join(folder, "script");
  writeFileSync(script, clientScript(lease), { mode: 0o755 });

  let daemon: ChildProcess | undefined;
  let log = "";
  const command: RunningKea["command"] = (name, given) =>
    new Promise((resolve, reject) => {
      const connection = createConnection(socket);
      let said = "";
      connection.on("data", (chunk) => {
        said += chunk;
      });
      connection.on("error", reject);
      connection.on("close", () => (said === "" ? reject(new Error("no answer")) : resolve(JSON.parse(said))));
      connection.write(JSON.stringify({ command: name, ...(given && { arguments: given }) }));
    });
  const kea: RunningKea = {
    folder,
    socket,
    network,
    file,
    log: () => log,
    command,
    async start() {
      const env = { ...process.env, KEA_LOCKFILE_DIR: folder, KEA_PIDFILE_DIR: folder };
      // `ip netns exec` becomes Kea itself: its pid is Kea's.
      daemon = spawn("ip", ["netns", "exec", network.server, `kea-dhcp${family}`, "-c", file], { env });
      daemon.stdout?.on("data", (chunk) => {
        log += chunk;
      });
      daemon.stderr?.on("data", (chunk) => {
        log += chunk;
      });
      await until(() =>
        command("list-commands").then(
          ({ result }) => result === 0,
          () => {
            if (daemon?.exitCode !== null) throw new Error(`Kea ended: ${log}`);
            return false;
          },
        ),
      );
    },
    kill: (signal) => endProcess(daemon, signal),
    pause: (stopped) => void daemon?.kill(stopped ? "SIGSTOP" : "SIGCONT"),
    async lease(mac) {
      rmSync(lease, { force: true });
      const inside = ["netns", "exec", network.client];
      for (const words of [["down"], ["address", mac], ["up"]])
        await run("ip", ["-n", network.client, "link", "set", "v1", ...words]);
      // dhclient gives up at once where the interface has no address of its own yet.
      const own = async () => (await run("ip", ["-n", network.client, "-6", "addr", "show", "v1"])).stdout;
      if (family === 6) await until(async () => (await own()).includes("fe80::"));
      const words =
        family === 4
          ? ["udhcpc", "-i", "v1", "-f", "-q", "-n", "-t", "8", "-T", "1", "-s", script]
          : [
              "timeout",
              "8",
              "dhclient",
              "-6",
              "-1",
              "-d",
              "-sf",
              script,
              "-lf",
              join(folder, mac),
              "-pf",
              join(folder, "pid"),
              "v1",
            ];
      // dhclient goes on with its lease until it is ended: the script does that once it has one.
      await run("ip", [...inside, ...words]).catch(() => {});
      try {
        const [ip = "", hostname = ""] = readFileSync(lease, "utf8").trim().split(" ");
        return { ip, hostname };
      } catch {
        return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      await endProcess(daemon);
      network.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await kea.start();
  } catch (error) {
    await kea[Symbol.asyncDispose]();
    throw error;
  }
  return kea;
}
