import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../until.ts";
import { endProcess } from "./end.ts";
import { freePort } from "./port.ts";

/** A private Postfix that receives mail on 127.0.0.1 for the aliases of campus.example; closing it leaves nothing behind. It needs root. */
export interface Postfix extends AsyncDisposable {
  readonly folder: string;
  /** The path of its alias map, without a suffix. */
  readonly path: string;
  start(): Promise<void>;
  kill9(): Promise<void>;
  /** The answer to RCPT in an SMTP session of its own. */
  rcpt(recipient: string): Promise<string>;
}

export async function startPostfix(type: "lmdb" | "cdb"): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-postfix-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const [etc, data, path] = ["etc", "data", "virtual"].map((name) => join(folder, name)) as [string, string, string];
  await mkdir(join(folder, "spool"));
  await mkdir(etc);
  await mkdir(data);
  execFileSync("chown", ["postfix", data]);
  for (const name of ["dynamicmaps.cf", "dynamicmaps.cf.d", "postfix-files", "postfix-files.d"]) {
    await cp(join("/etc/postfix", name), join(etc, name), { recursive: true }).catch(() => {}); // not in every Debian
  }
  await writeFile(join(etc, "main.cf"), mainOf(folder, `${type}:${path}`));
  await writeFile(join(etc, "master.cf"), masterOf(port));
  let running: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn("postfix", ["-c", etc, "start-fg"], { stdio: "ignore" });
    running = child;
    await until(
      async () => {
        if (child.exitCode !== null) {
          throw new Error(`postfix ended: ${await readFile(join(folder, "log"), "utf8").catch(() => "no log")}`);
        }
        return greets(port);
      },
      { within: 20_000 },
    );
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null) return;
    await endProcess(child, signal, Number(await readFile(join(folder, "spool/pid/master.pid"), "utf8")));
    // Its daemons end once they notice that their master is gone.
    await until(async () => !(await greets(port)));
  }

  return {
    folder,
    path,
    start,
    kill9: () => end("SIGKILL"),
    rcpt: (recipient) => rcpt(port, recipient),
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const mainOf = (folder: string, map: string): string => `
compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
myhostname = mx.campus.example
mydestination =
virtual_alias_domains = campus.example
virtual_alias_maps = ${map}
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
`;

/** The text of master.cf, in which no service runs in a chroot. */
const masterOf = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
discard unix - - n - - discard
postlog unix-dgram n - n - 1 postlogd
`;

async function rcpt(port: number, recipient: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const answer = async (): Promise<string> => {
      const { value } = await lines.next();
      return /^\d{3}-/.test(String(value)) ? answer() : String(value);
    };
    await answer();
    for (const line of ["EHLO client.example", "MAIL FROM:<a@elsewhere.example>"]) {
      socket.write(`${line}\r\n`);
      await answer();
    }
    socket.write(`RCPT TO:<${recipient}>\r\n`);
    return await answer();
  } finally {
    socket.destroy();
  }
}

/** True if an SMTP server answers at a port. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const done = (greeting: boolean) => {
      socket.destroy();
      resolve(greeting);
    };
    socket.once("data", (text) => done(text.toString().startsWith("220 ")));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
