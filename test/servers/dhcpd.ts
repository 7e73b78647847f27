import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { endProcess } from "./end.ts";

/**
 * A private ISC dhcpd in a network namespace of its own. It has one end of a link whose other end is for clients;
 * closing it leaves nothing behind.
 */
export interface Dhcpd extends AsyncDisposable {
  readonly folder: string;
  readonly keyFile: string;
  readonly leases: string;
  readonly pidFile: string;
  /** A program with its arguments, in the form that runs it beside dhcpd. */
  inside(...command: [string, ...string[]]): [string, ...string[]];
  /** The log of all its runs. */
  log(): string;
  /** Further lines of its configuration, at its next start. */
  configure(lines: string): void;
  start(): Promise<void>;
  /** SIGKILL by default; it has ended when this returns. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Pauses it at any point; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** The output of omshell(1) for commands in the form that an administrator types them. */
  omshell(lines: string): string;
  /** The lease of a real client (udhcpc) with this MAC address. */
  lease(mac: string): Promise<{ ip: string; hostname: string } | undefined>;
}

let namespaces = 0;

/**
 * Starts dhcpd (Debian's) with OMAPI, for 10.77.0.0/16, without a range: only machines in its table have an address.
 */
export async function startDhcpd({ omapi = true } = {}): Promise<Dhcpd> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-dhcpd-"));
  const [config, leases, keyFile, pidFile, logFile, script] = [
    ...["dhcpd.conf", "leases", "omapi.key", "pid", "log", "client"],
  ].map((name) => join(folder, name)) as [string, string, string, string, string, string];
  const namespace = `trigger-dhcp-${process.pid}-${namespaces++}`;
  const ip = (...words: string[]): void => void execFileSync("ip", words, { stdio: "pipe" });
  ip("netns", "add", namespace);
  ip("-n", namespace, "link", "set", "lo", "up");
  ip("-n", namespace, "link", "add", "server", "type", "veth", "peer", "name", "client");
  ip("-n", namespace, "addr", "add", "10.77.0.1/16", "dev", "server");
  for (const end of ["server", "client"]) ip("-n", namespace, "link", "set", end, "up");
  const secret = randomBytes(32).toString("base64");
  writeFileSync(keyFile, `key "trigger" {\n\talgorithm hmac-sha256;\n\tsecret "${secret}";\n};\n`, { mode: 0o600 });
  writeFileSync(leases, "");
  writeFileSync(logFile, "");
  writeFileSync(script, '#!/bin/sh\n[ "$1" = bound ] && echo "$ip $hostname"\nexit 0\n', { mode: 0o755 });
  const control = omapi ? `include "${keyFile}";\nomapi-port 7911;\nomapi-key trigger;\n` : "";
  const common = `authoritative;\nsubnet 10.77.0.0 netmask 255.255.0.0 { }\n${control}`;
  writeFileSync(config, common);
  let running: ChildProcess | undefined;

  const inside = (...command: [string, ...string[]]): [string, ...string[]] => [
    ...(["ip", "netns", "exec", namespace] as const),
    ...command,
  ];
  const dhcpd: Dhcpd = {
    folder,
    keyFile,
    leases,
    pidFile,
    inside,
    log: () => readFileSync(logFile, "utf8"),
    configure: (lines) => writeFileSync(config, `${common}${lines}\n`),
    async start() {
      assert.ok(!running, "dhcpd runs already");
      rmSync(pidFile, { force: true });
      const before = dhcpd.log().length;
      const [program, ...words] = inside("dhcpd", "-f", "-d", "-4", "-cf", config, "-lf", leases, "-pf", pidFile);
      const child = spawn(program, [...words, "server"], { stdio: ["ignore", "ignore", "pipe"] });
      child.stderr?.on("data", (bytes) => appendFileSync(logFile, bytes));
      running = child;
      await until(() => {
        assert.equal(child.exitCode, null, `dhcpd ended: ${dhcpd.log().slice(before)}`);
        return existsSync(pidFile) && dhcpd.log().slice(before).includes("Server starting service.");
      });
    },
    async stop(signal = "SIGKILL") {
      const child = running;
      running = undefined;
      await endProcess(child, signal);
    },
    pause: () => void running?.kill("SIGSTOP"),
    resume: () => void running?.kill("SIGCONT"),
    omshell(lines) {
      const input = `key-algorithm hmac-sha256\nkey trigger ${secret}\nconnect\n${lines}\n`;
      const [program, ...words] = inside("omshell");
      return execFileSync(program, words, { input, encoding: "utf8", stdio: "pipe" });
    },
    async lease(mac) {
      ip("-n", namespace, "link", "set", "client", "address", mac);
      const words = ["-i", "client", "-f", "-q", "-n", "-t", "3", "-T", "1", "-s", script];
      const [program, ...rest] = inside("udhcpc", ...words);
      const said = await promisify(execFile)(program, rest).catch(() => ({ stdout: "" })); // no lease: it exits 1
      const [, address, hostname = ""] = /^(\S+) (\S*)$/m.exec(said.stdout) ?? [];
      return address === undefined ? undefined : { ip: address, hostname };
    },
    async [Symbol.asyncDispose]() {
      await dhcpd.stop();
      ip("netns", "del", namespace);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await dhcpd.start();
  return dhcpd;
}
