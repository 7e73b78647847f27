import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { endProcess } from "./end.ts";
import { freePort } from "./port.ts";

export interface NamedOptions {
  /** The zones, each with the access lines of named.conf and its first records beside SOA and NS. */
  readonly zones: Readonly<Record<string, { readonly access?: string; readonly records?: readonly string[] }>>;
}

/** A private BIND on 127.0.0.1, primary of its zones; closing it leaves nothing behind. */
export interface Named extends AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** The file of the key that may update and transfer; `stranger` is a key that the server does not know. */
  readonly key: string;
  readonly stranger: string;
  /** The output of dig with +short, its lines sorted. */
  dig(name: string, type: string): Promise<string[]>;
  /** Makes a foreign change, in the syntax of nsupdate. */
  nsupdate(...lines: string[]): Promise<void>;
  /** The number of records of a zone, with its SOA twice. */
  records(zone: string): Promise<number>;
  /** The records of a zone as dig prints them, its SOA twice. */
  transfer(zone: string): Promise<string[]>;
  /** The serial of a zone. */
  serial(zone: string): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Pauses the server, which then hangs; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Resets the zones to their first records, without journals. */
  reset(): Promise<void>;
}

const run = promisify(execFile);

/** The lines that a zone needs. */
export const access = 'update-policy { grant trigger zonesub A AAAA PTR CNAME; }; allow-transfer { key "trigger"; };';

export async function startNamed({ zones }: NamedOptions): Promise<Named> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-named-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const [key, stranger, other] = [join(folder, "trigger.key"), join(folder, "stranger.key"), join(folder, "other.key")];
  for (const [path, name] of [
    [key, "trigger"],
    [stranger, "stranger"],
    [other, "other"],
  ] as const) {
    await writeFile(path, execFileSync("tsig-keygen", [name]));
  }
  const names = Object.keys(zones);
  const file = (zone: string): string => join(folder, "zones", `db.${zone}`);
  const list = names.map((zone) => {
    const lines = zones[zone]?.access ?? access.replace("{ grant", "{ grant other zonesub ANY; grant");
    return `zone "${zone}" { type primary; file "${file(zone)}"; ${lines} };`;
  });
  const options = `directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; notify no; pid-file "${folder}/named.pid"; session-keyfile none; managed-keys-directory "${folder}"; dnssec-validation no;`;
  const conf = join(folder, "named.conf");
  await writeFile(
    conf,
    `include "${key}"; include "${other}";\noptions { ${options} };\ncontrols { };\n${list.join("\n")}\n`,
  );
  let running: ChildProcess | undefined;

  async function load(): Promise<void> {
    await rm(join(folder, "zones"), { recursive: true, force: true });
    await mkdir(join(folder, "zones"));
    for (const zone of names) {
      const records = ["@ SOA ns.other.example. root.other.example. 1 3600 600 86400 60", "@ NS ns.other.example."];
      await writeFile(file(zone), `$TTL 3600\n${[...records, ...(zones[zone]?.records ?? [])].join("\n")}\n`);
    }
  }
  const query = async (name: string, type: string): Promise<string[]> => {
    const words = [
      "-r",
      "@127.0.0.1",
      "-p",
      `${port}`,
      "+short",
      "+norecurse",
      "+time=1",
      "+tries=1",
      `${name}.`,
      type,
    ];
    const { stdout } = await run("dig", words).catch(() => ({ stdout: "" }));
    return stdout
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(";"))
      .sort();
  };
  async function transfer(zone: string): Promise<string[]> {
    const words = ["-r", "@127.0.0.1", "-p", `${port}`, "-k", key, "+noall", "+answer", "AXFR", `${zone}.`];
    return (await run("dig", words)).stdout.trim().split("\n");
  }
  async function start(): Promise<void> {
    const child = spawn("named", ["-g", "-n", "1", "-c", conf], { stdio: "ignore" });
    running = child;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`named ended with ${child.exitCode}: named -g -c ${conf}`);
      return (await query(names.at(-1) ?? "", "SOA")).length === 1;
    });
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    running = undefined;
    await endProcess(child, signal);
  }
  await load();
  await start();
  return {
    ...{ port, folder, key, stranger, dig: query, start },
    async nsupdate(...lines) {
      const child = run("nsupdate", ["-v", "-k", other]);
      child.child.stdin?.end(`server 127.0.0.1 ${port}\n${lines.join("\n")}\nsend\n`);
      await child;
    },
    records: async (zone) => (await transfer(zone)).length,
    transfer,
    serial: async (zone) => Number((await query(zone, "SOA"))[0]?.split(" ")[2]),
    stop: () => end("SIGTERM"),
    kill9: () => end("SIGKILL"),
    pause: () => void running?.kill("SIGSTOP"),
    resume: () => void running?.kill("SIGCONT"),
    async reset() {
      await end("SIGKILL");
      await load();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
