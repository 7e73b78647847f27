import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endProcess } from "./end.ts";

/** A private FreeRADIUS on 127.0.0.1, with the modules of a real one that answer to users; closing it leaves nothing behind. */
export interface FreeRadius extends AsyncDisposable {
  readonly folder: string;
  /** The place under which the settings of the service find it. */
  readonly place: {
    path: string;
    config: string;
    socket: string;
    probe: { port: number; secretFile: string };
  };
  start(): Promise<void>;
  kill9(): Promise<void>;
  /** Pauses or resumes it: a server that hangs. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  log(): string;
  /** The answer to a password of any bytes, in plain RADIUS: radclient has escapes of its own. */
  pap(name: string, password: string): Promise<string>;
  /** The answer to a request by radclient, each item as `Attribute = value`; without the Message-Authenticator of 3.2.5 and later. */
  ask(...items: readonly string[]): Promise<{ code: string; reply: string[] }>;
}

const secret = "s3cret of the test";

export async function freeRadius(): Promise<FreeRadius> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-radius-"));
  await chmod(folder, 0o755);
  const port = await freeUdpPort();
  const file = (name: string): string => join(folder, name);
  await writeFile(file("secret"), `${secret}\n`);
  await writeFile(file("radiusd.conf"), configOf(folder, port));
  let running: ChildProcess | undefined;

  let said = "";

  async function start(): Promise<void> {
    const child = spawn("freeradius", ["-f", "-d", folder, "-l", "stdout"], { stdio: ["ignore", "pipe", "ignore"] });
    running = child;
    said = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk;
        if (said.includes("Ready to process requests")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`freeradius ended with ${code}: ${said}`)));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    running = undefined;
    await endProcess(child, signal);
  }

  return {
    folder,
    place: {
      path: file("authorize"),
      config: folder,
      socket: file("control.sock"),
      probe: { port, secretFile: file("secret") },
    },
    start,
    kill9: () => end("SIGKILL"),
    signal: (signal) => void running?.kill(signal),
    log: () => said,
    async ask(...items) {
      const said = await radclient(["-x", "-r", "1", "-t", "3", "-S", file("secret"), `127.0.0.1:${port}`, "auth"], {
        input: `${items.join("\n")}\n`,
      });
      const [, code = "", reply = ""] = /^Received (\S+) .*\n((?:\t.*\n)*)/m.exec(said) ?? [];
      const lines = reply.split("\n").map((line) => line.trim());
      return { code, reply: lines.filter((line) => line !== "" && !line.startsWith("Message-Authenticator")) };
    },
    pap: (name, password) => pap(port, name, Buffer.from(password)),
    async [Symbol.asyncDispose]() {
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const configOf = (folder: string, port: number): string => `
name = freeradius
logdir = ${folder}
run_dir = ${folder}
db_dir = ${folder}
libdir = /usr/lib/freeradius
pidfile = ${folder}/pid
correct_escapes = true
max_request_time = 5
cleanup_delay = 5
security {
	reject_delay = 0
}
client localhost {
	ipaddr = 127.0.0.1
	secret = "${secret}"
}
thread pool {
	start_servers = 2
	max_servers = 4
	min_spare_servers = 1
	max_spare_servers = 2
}
modules {
	files {
		filename = ${folder}/authorize
	}
	pap {
	}
	chap {
	}
	mschap {
		use_mppe = no
	}
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = ${port}
	}
	authorize {
		chap
		mschap
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
		Auth-Type CHAP {
			chap
		}
		Auth-Type MS-CHAP {
			mschap
		}
	}
}
listen {
	type = control
	socket = ${folder}/control.sock
	mode = rw
}
`;

const codes = new Map([
  [2, "Access-Accept"],
  [3, "Access-Reject"],
]);

/**
 * An Access-Request with a User-Password (RFC 2865, 5.2), and the code of what comes. It is signed (RFC 2869, 5.14):
 * from 3.2.5 on the server answers no other once it has seen a signed one of the same client.
 */
function pap(port: number, name: string, password: Buffer): Promise<string> {
  const authenticator = randomBytes(16);
  const padded = Buffer.concat([password, Buffer.alloc((16 - (password.length % 16)) % 16)]);
  const hidden: Buffer[] = [];
  for (let at = 0; at < padded.length; at += 16) {
    const pad = createHash("md5")
      .update(secret)
      .update(hidden.at(-1) ?? authenticator)
      .digest();
    hidden.push(Buffer.from(padded.subarray(at, at + 16).map((byte, index) => byte ^ (pad[index] ?? 0))));
  }
  const items = [attribute(80, Buffer.alloc(16)), attribute(1, Buffer.from(name)), attribute(2, Buffer.concat(hidden))];
  const packet = Buffer.concat([Buffer.alloc(4), authenticator, ...items]);
  packet.set([1, randomBytes(1)[0] ?? 0, packet.length >> 8, packet.length & 255]);
  packet.set(createHmac("md5", secret).update(packet).digest(), 22); // over the zeros with which it is computed
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4").on("error", reject);
    let sent = 0;
    const end = (then: () => void): void => {
      clearInterval(again);
      socket.close(then);
    };
    const send = (): void => {
      if (sent++ < 10) socket.send(packet, port, "127.0.0.1");
      else end(() => reject(new Error(`FreeRADIUS does not answer to ${JSON.stringify(name)}`)));
    };
    const again = setInterval(send, 1000); // as radclient does, for a datagram may be lost
    socket.on("message", (answer) => end(() => resolve(codes.get(answer[0] ?? 0) ?? `code ${answer[0]}`)));
    send();
  });
}

const attribute = (type: number, value: Buffer): Buffer => Buffer.from([type, value.length + 2, ...value]);

/** The output of radclient; it exits 1 for a rejection. */
function radclient(args: readonly string[], { input }: { input: string }): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile("radclient", args, (_, stdout) => resolve(stdout));
    child.stdin?.end(input);
  });
}

/** A free UDP port of the loopback. */
function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4").on("error", reject);
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
