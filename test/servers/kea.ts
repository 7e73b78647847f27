import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../until.ts";
import { dhcpClient } from "./dhcp-client.ts";
import { endProcess } from "./end.ts";
import { makeNetwork, type Network } from "./network.ts";

/** A private Kea in a network namespace of its own, with a client's namespace at the other end of its cable. */
export interface RunningKea extends AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  readonly network: Network;
  /** The file that it is started with. */
  readonly file: string;
  /** The log since Kea was last ready: at its start it gives itself commands, too. */
  readonly log: () => string;
  /** Sends a command, as a person by hand would. */
  command(name: string, given?: object): Promise<{ result: number; text?: string; arguments?: unknown }>;
  /** The running configuration, as `config-set` takes it: from 2.4 on `config-get` adds a hash. */
  running(): Promise<Running>;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Lets it hang, or go on. */
  pause(stopped: boolean): void;
  /** The lease of a real client with this MAC address, which keeps it. */
  lease(mac: string): Promise<{ ip: string; hostname: string } | undefined>;
}

/** A hook library that Debian's Kea comes with. */
export function hook(name: string): string {
  const [place = ""] = readdirSync("/usr/lib").filter((arch) => existsSync(`/usr/lib/${arch}/kea/hooks`));
  return `/usr/lib/${place}/kea/hooks/libdhcp_${name}.so`;
}

/** The hooks that a configuration needs: its own, and from 3.0 on that of PostgreSQL for a database of hosts. */
function hooksOf(members: Members): object {
  const { "hooks-libraries": own = [], "hosts-database": database } = members;
  const library = hook("pgsql");
  return { "hooks-libraries": database && existsSync(library) ? [...own, { library }] : own };
}

/** Members of a configuration. */
interface Members {
  readonly [name: string]: unknown;
  readonly "hooks-libraries"?: readonly object[];
}

/** A configuration of kea-dhcp4. */
export interface Running {
  readonly Dhcp4: { readonly subnet4: { reservations: Record<string, unknown>[] }[] };
}

export interface KeaOptions {
  readonly family?: 4 | 6;
  /** Reservations made by hand. */
  readonly reservations?: readonly object[];
  /** Further subnets. */
  readonly more?: readonly object[];
}

/** Starts it with these members of its configuration beside those that it needs. */
export async function startKea(
  members: Members = {},
  { family = 4, reservations = [], more = [] }: KeaOptions = {},
): Promise<RunningKea> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-kea-"));
  chmodSync(folder, 0o750); // from 2.6.3 on Kea takes no socket in a folder with any other rights
  const network = makeNetwork("kea", family === 4 ? "10.9.0.1/16" : "2001:db8:9::1/64");
  const [file, socket] = [join(folder, "kea.json"), join(folder, "socket")];
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
    ...hooksOf(members),
  };
  writeFileSync(file, JSON.stringify({ [`Dhcp${family}`]: config }, undefined, 1));

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
    async running() {
      const { Dhcp4 } = (await command("config-get")).arguments as Running;
      return { Dhcp4 };
    },
    async start() {
      // From 2.6.3 on Kea keeps its socket and its leases in these folders alone.
      const own = { KEA_CONTROL_SOCKET_DIR: folder, KEA_DHCP_DATA_DIR: folder };
      const env = { ...process.env, ...own, KEA_LOCKFILE_DIR: folder, KEA_PIDFILE_DIR: folder };
      // `ip netns exec` becomes Kea itself: its pid is Kea's.
      daemon = spawn("ip", ["netns", "exec", network.server, `kea-dhcp${family}`, "-c", file], { env });
      daemon.stdout?.on("data", (chunk) => {
        log += chunk;
      });
      daemon.stderr?.on("data", (chunk) => {
        log += chunk;
      });
      log = "";
      const answers = (): Promise<boolean> =>
        command("list-commands").then(
          ({ result }) => result === 0,
          () => false,
        );
      await until(async () => {
        if (daemon?.exitCode !== null) throw new Error(`Kea ended: ${log}`);
        return /DHCP[46]_STARTED/.test(log) && (await answers());
      });
      log = "";
    },
    kill: (signal) => endProcess(daemon, signal),
    pause: (stopped) => void daemon?.kill(stopped ? "SIGSTOP" : "SIGCONT"),
    lease: dhcpClient(network.client, folder, family),
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
