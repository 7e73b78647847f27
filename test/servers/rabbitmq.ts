import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { freePort } from "./port.ts";

/** The certificates of a server, and of the authority that its clients' certificates must come from: file names. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A RabbitMQ of the test's own: own folder, ports and cookie, on the loopback alone. */
export interface RabbitServer extends AsyncDisposable {
  /** The folder of all files that it writes; its log is in `log`. */
  readonly folder: string;
  /** Its URL, `amqp://…`, with a user and password that it accepts. */
  readonly url: string;
  readonly port: number;
  /** The port of AMQPS, where the server was started with certificates. */
  readonly tlsPort: number;
  readonly pid: number;
  /** A power cut: nothing is flushed, no connection is closed in order. */
  kill9(): Promise<void>;
  /** Starts it again on what its disk holds, killing it first when it runs. */
  restart(): Promise<void>;
  /** Kills it and empties its disk; `restart()` starts it as new. */
  loseDisk(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Pauses the process; its connections stay open. */
  pause(): void;
  resume(): void;
  /** Sets or clears the memory alarm: while it is set, the server reads no publishes. */
  alarm(on: boolean): Promise<void>;
  /** Runs rabbitmqctl and returns its output. */
  ctl(...args: string[]): Promise<string>;
  /** Runs a script as the administrator of the server would, in a folder. */
  shell(script: string, folder: string): Promise<void>;
}

/** The parts of a node of a cluster beside a server of its own. */
export interface Member {
  /** The part of its name before `@localhost`. */
  readonly name: string;
  readonly cookie: string;
  /** The port of the epmd that it asks, which the caller starts. */
  readonly epmdPort: number;
  /** The port at which the other nodes find it. */
  readonly distPort: number;
  /** More lines of `rabbitmq.conf`. */
  readonly lines: readonly string[];
}

interface Settings {
  readonly tls?: ServerTls;
  readonly member?: Member;
}

const installed = "/usr/lib/rabbitmq/lib";

/** Starts a private RabbitMQ, ready for connections. It dies with this process, however that ends. */
export async function startRabbit({ tls, member }: Settings = {}): Promise<RabbitServer> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-rabbit-"));
  const [port, tlsPort, ownDist, ownEpmd] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const { epmdPort = ownEpmd, distPort: dist = ownDist } = member ?? {};
  const env = environment(folder, member?.name ?? "trigger", { port, dist, epmd: epmdPort });
  const scripts = scriptsFolder();
  mkdirSync(join(folder, "log"));
  writeFileSync(join(folder, ".erlang.cookie"), member?.cookie ?? `cookie${process.pid}${port}`);
  chmodSync(join(folder, ".erlang.cookie"), 0o400);
  writeFileSync(join(folder, "plugins"), "[].");
  writeFileSync(join(folder, "rabbitmq.conf"), configText(tls && { ...tls, port: tlsPort }, member?.lines));

  const processes = new Set<ChildProcess>();
  const start = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { cwd: folder, env, stdio: "ignore" });
    child.on("error", () => {}); // seen as a server that does not get ready
    processes.add(child);
    child.on("exit", () => processes.delete(child));
    notePids();
    return child;
  };
  const pids = join(folder, "pids");
  const notePids = (): void => writeFileSync(pids, [...processes].map(({ pid }) => pid).join(" "));
  // Reads until this process has ended, in any way, and then kills the processes that it left.
  const watchdog = spawn("sh", ["-c", 'cat >/dev/null; kill -9 $(cat "$1/pids"); rm -rf "$1"', "watchdog", folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  if (!member) start("epmd", ["-address", "127.0.0.1", "-port", `${epmdPort}`]);
  let server = await boot().catch(async (error) => {
    await dispose();
    throw error;
  });

  async function boot(): Promise<ChildProcess> {
    let child = start(join(scripts, "rabbitmq-server"), []);
    let again = 3;
    const ready = async (): Promise<boolean> => {
      if (child.exitCode !== null) {
        // A connection of another test may have had one of the ports for a moment.
        if (again-- === 0) throw new Error(`RabbitMQ ended as it started:\n${lastWords(folder)}`);
        child = start(join(scripts, "rabbitmq-server"), []);
      }
      return (await accepts(port)) && (!tls || (await accepts(tlsPort)));
    };
    await until(ready, { within: 180_000 });
    return child;
  }

  async function end(child: ChildProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    if (!processes.has(child)) return;
    child.kill("SIGCONT");
    child.kill(signal);
    await until(() => !processes.has(child), { within: 60_000 });
    notePids();
  }

  const ctl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(join(scripts, "rabbitmqctl"), args, { env, cwd: folder });
    return stdout;
  };
  const kill9 = (): Promise<void> => end(server, "SIGKILL");

  return {
    folder,
    url: `amqp://${user}:${password}@127.0.0.1:${port}`,
    port,
    tlsPort,
    get pid() {
      return server.pid ?? 0;
    },
    kill9,
    async restart() {
      await kill9();
      server = await boot();
    },
    async loseDisk() {
      await kill9();
      rmSync(join(folder, "mnesia"), { recursive: true });
    },
    stop: () => end(server, "SIGTERM"),
    pause: () => void server.kill("SIGSTOP"),
    resume: () => void server.kill("SIGCONT"),
    async alarm(on) {
      await ctl("set_vm_memory_high_watermark", on ? "0.00001" : "0.9");
    },
    ctl,
    async shell(script, cwd) {
      const path = `${scripts}:${env.PATH}`;
      await ctl("await_startup"); // it listens a moment before all of rabbitmqctl works
      const file = join(folder, "script.sh");
      writeFileSync(file, script);
      await promisify(execFile)("sh", [file], { env: { ...env, PATH: path }, cwd });
    },
    [Symbol.asyncDispose]: dispose,
  };

  async function dispose(): Promise<void> {
    await Promise.all([...processes].map((child) => end(child, "SIGKILL")));
    watchdog.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const user = "trigger";
const password = "s3cret-of-the-test";

function environment(
  folder: string,
  name: string,
  ports: { port: number; dist: number; epmd: number },
): NodeJS.ProcessEnv {
  const noEpmd = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}";
  return {
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    LANG: "C.UTF-8",
    HOME: folder,
    ERL_EPMD_PORT: `${ports.epmd}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_NODENAME: `${name}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: `${ports.port}`,
    RABBITMQ_DIST_PORT: `${ports.dist}`,
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: join(folder, "log", "rabbit.log"),
    RABBITMQ_PID_FILE: join(folder, "rabbit.pid"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    // Without busy waiting: other tests share the processors.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${noEpmd} +sbwt none +sbwtdcpu none +sbwtdio none`,
    RABBITMQ_CTL_ERL_ARGS: noEpmd,
    // Its start script then becomes the server, instead of a shell that waits for it.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}

function configText(tls: (ServerTls & { readonly port: number }) | undefined, more: readonly string[] = []): string {
  const lines = [
    `default_user = ${user}`,
    `default_pass = ${password}`,
    "disk_free_limit.absolute = 1MB",
    "vm_memory_high_watermark.relative = 0.9",
    ...more,
  ];
  if (tls) {
    lines.push(
      `listeners.ssl.1 = 127.0.0.1:${tls.port}`,
      `ssl_options.cacertfile = ${tls.ca}`,
      `ssl_options.certfile = ${tls.cert}`,
      `ssl_options.keyfile = ${tls.key}`,
      "ssl_options.verify = verify_peer",
      "ssl_options.fail_if_no_peer_cert = true",
    );
  }
  return `${lines.join("\n")}\n`;
}

function scriptsFolder(): string {
  const [version] = readdirSync(installed).filter((name) => name.startsWith("rabbitmq_server-"));
  if (!version) throw new Error(`there is no RabbitMQ in ${installed}: \`sh scripts/setup.sh test\` installs it`);
  return join(installed, version, "sbin");
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

const lastWords = (folder: string): string => {
  try {
    return readFileSync(join(folder, "log", "rabbit.log"), "utf8").slice(-3_000);
  } catch {
    return "it wrote no log";
  }
};
