import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { watchMark } from "../integration/machines.fixture.ts";
import { makeProject, type TestProject } from "../project.ts";
import { type Cluster, startCluster } from "../servers/cluster.ts";
import { type RunningKea, startKea } from "../servers/kea.ts";
import { type Named, startNamed } from "../servers/named.ts";
import { type Slapd, startSlapd } from "../servers/slapd.ts";
import { type TcpProxy, tcpProxy } from "../servers/tcp-proxy.ts";
import { type Processes, processes } from "./processes.ts";
import { type Stores, stores } from "./stores.ts";

/** The real parts of a whole network, each a process of its own, on the loopback only. */
export interface Network extends AsyncDisposable {
  readonly project: TestProject;
  readonly slapd: Slapd;
  readonly cluster: Cluster;
  readonly named: Named;
  /** The Kea server; undefined if this user may not make network namespaces. */
  readonly kea: RunningKea | undefined;
  readonly processes: Processes;
  readonly stores: Stores;
  /** The cables between each host and the broker's nodes. */
  readonly brokerCables: ReadonlyMap<string, readonly TcpProxy[]>;
  /** The cable between each transcriber and the directory. */
  readonly directoryCables: ReadonlyMap<string, TcpProxy>;
  /** Fills the disk of one host's state to the last byte, or frees it. Undefined if this user may not mount a disk. */
  readonly fillDisk: ((full: boolean) => void) | undefined;
  /** The parts that this machine lacks, each with the reason; they appear in the summary. */
  readonly missing: readonly string[];
  /** The places of the stream that went back, at any host. Places that went back with a restored store are left out. */
  wentBack(): string[];
  keepLogs(folder: string): void;
}

export const transcribers = ["civet", "lynx"];
/** The host whose state is on a small disk of its own. */
export const smallDisk = "box";
const hosts: Record<string, readonly string[]> = {
  civet: ["event"],
  lynx: ["event"],
  ns: ["names", "dns"],
  gate: ["names", "dhcp"],
  mail: ["people", "aliases"],
  box: ["names", "aliases"],
};
export const hostNames = Object.keys(hosts);
export const zones = ["campus.example", "9.10.in-addr.arpa"];

const isRoot = process.getuid?.() === 0;

/**
 * Starts all parts but the processes of trigger, in about half a minute. If one part fails to start, the others are
 * stopped.
 */
export async function startNetwork(ldif: string): Promise<Network> {
  await using stack = new AsyncDisposableStack();
  const parts = await Promise.allSettled([
    started(stack, startCluster()),
    started(stack, startSlapd({ ldif, database: ["limits * size=unlimited time=unlimited"] })),
    started(stack, startNamed({ zones: Object.fromEntries(zones.map((zone) => [zone, {}])) })),
    isRoot ? started(stack, startKea()) : undefined,
  ] as const);
  for (const part of parts) if (part.status === "rejected") throw part.reason;
  const [cluster, slapd, named, kea] = parts.map((part) => (part.status === "fulfilled" ? part.value : undefined)) as [
    Cluster,
    Slapd,
    Named,
    RunningKea | undefined,
  ];
  const brokerCables = new Map<string, TcpProxy[]>();
  const directoryCables = new Map<string, TcpProxy>();
  for (const host of hostNames) {
    const cables = cluster.nodes.map(({ port }) => started(stack, tcpProxy(port)));
    brokerCables.set(host, await Promise.all(cables));
    if (transcribers.includes(host)) directoryCables.set(host, await started(stack, tcpProxy(slapd.port)));
  }
  const place = {
    hosts: kea ? hosts : { ...hosts, gate: ["names"] },
    cables: cablesOf(cluster, slapd, brokerCables, directoryCables),
    named: { port: named.port, key: named.key, daemon: { pidFile: join(named.folder, "named.pid") } },
    kea: kea && { socket: kea.socket, daemon: { pidFile: join(kea.folder, "kea.kea-dhcp4.pid") } },
  };
  const project = makeProject(
    { after: (end) => stack.defer(async () => void (await end?.({} as never, () => {}))) },
    {
      files: { ...projectFiles(), "place.json": JSON.stringify(place) },
    },
  );
  for (const host of hostNames) mkdirSync(project.path(`out/${host}`), { recursive: true });
  const fillDisk = mountDisk(stack, project.path(`.trigger/${smallDisk}`));
  const watched = Object.entries(place.hosts).flatMap(([host, services]) =>
    services
      .filter((service) => service !== "event")
      .map((service) => ({ host, service, watch: watchMark(project, host, { service, every: 300 }) })),
  );
  for (const { watch } of watched) stack.defer(watch.stop);
  const storeReplaced = (host: string): void => {
    for (const one of watched) if (one.host === host) one.watch.forget();
  };
  const running = processes(project, hostNames);
  // Last in, first out: the processes end before the servers that they are connected to.
  stack.defer(async () => void (await Promise.all(hostNames.map((host) => running.kill9(host)))));
  const ends = stack.move();
  return {
    ...{
      project,
      slapd,
      cluster,
      named,
      kea,
      processes: running,
      stores: stores(project, storeReplaced),
      brokerCables,
      directoryCables,
      fillDisk,
    },
    wentBack: () =>
      watched.flatMap(({ host, service, watch }) => watch.wentBack.map((how) => `${host} ${service}: ${how}`)),
    missing: [
      ...(kea ? [] : ["Kea: only root can make its network namespaces"]),
      ...(fillDisk ? [] : ["a disk that fills up: only root can mount one"]),
    ],
    keepLogs: (folder) => cluster.keepLogs(folder),
    [Symbol.asyncDispose]: () => ends.disposeAsync(),
  };
}

async function started<Part extends AsyncDisposable>(stack: AsyncDisposableStack, part: Promise<Part>): Promise<Part> {
  return stack.use(await part);
}

/**
 * The cables from each process, and from commands, to the broker and the directory. Each process begins at another
 * node.
 */
function cablesOf(
  { nodes }: Cluster,
  slapd: Slapd,
  brokers: ReadonlyMap<string, readonly TcpProxy[]>,
  directories: ReadonlyMap<string, TcpProxy>,
) {
  const through = (ports: readonly number[]): string[] =>
    ports.map((port, at) => (nodes[at]?.url ?? "").replace(/:\d+$/, `:${port}`));
  const own = hostNames.map((host, at) => {
    const urls = through((brokers.get(host) ?? []).map(({ port }) => port));
    const first = at % urls.length;
    const directory = `ldap://127.0.0.1:${directories.get(host)?.port ?? slapd.port}`;
    return [host, { urls: [...urls.slice(first), ...urls.slice(0, first)], directory }] as const;
  });
  return { "": { urls: nodes.map(({ url }) => url), directory: slapd.url }, ...Object.fromEntries(own) };
}

const source = fileURLToPath(new URL("project/", import.meta.url));
const projectFiles = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(source, name)).isFile())
      .map((name) => [name, readFileSync(join(source, name), "utf8")]),
  );

/** Mounts a disk of 12 MB in the place of a folder. */
function mountDisk(stack: AsyncDisposableStack, folder: string): Network["fillDisk"] {
  mkdirSync(folder, { recursive: true });
  if (!isRoot || spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", folder]).status !== 0) return undefined;
  stack.defer(() => void execFileSync("umount", [folder]));
  const filler = join(folder, "filler");
  return (full) => {
    if (full) spawnSync("sh", ["-c", 'cat /dev/zero > "$1"', "fill", filler], { stdio: "ignore" });
    else rmSync(filler, { force: true });
  };
}
