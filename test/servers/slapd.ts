import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeAuthority } from "./authority.ts";
import { endProcess } from "./end.ts";
import { freePort } from "./port.ts";

export interface SlapdOptions {
  /** The first content of the directory: the base alone, by default. */
  readonly ldif?: string;
  /** Lines of the database's `access`; everybody may read, by default. */
  readonly access?: readonly string[];
  /** Further attribute types and object classes, as lines of slapd.conf. */
  readonly schema?: readonly string[];
  /** Further modules, such as overlays that `database` names. */
  readonly modules?: readonly string[];
  /** Further lines of the database's configuration. */
  readonly database?: readonly string[];
  /** Lines of `access` before any database: of the root DSE, of the schema. */
  readonly frontend?: readonly string[];
  /** True if it answers syncrepl, with an accesslog behind it; "unloaded" if even the module is missing. */
  readonly syncprov?: boolean | "unloaded";
  /** True if it speaks ldaps and StartTLS. */
  readonly tls?: boolean;
}

/** A private OpenLDAP server, on 127.0.0.1 and on a Unix socket; closing it leaves nothing behind. */
export interface Slapd extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly ldapiUrl: string;
  /** The address of TLS from the first byte. */
  readonly ldapsUrl: string;
  /** The files of the authority that signed its certificate, of that, and of its key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly base: string;
  readonly adminDn: string;
  readonly password: string;
  /** Applies change records (LDIF), as the administrator. */
  modify(ldif: string): Promise<void>;
  /** The content in LDIF, as slapcat prints it, operational attributes among it. */
  slapcat(): string;
  /** Replaces the access rules, by a restart. */
  allow(access: readonly string[]): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  kill9(): Promise<void>;
  /** Replaces the content by a backup (of slapcat, with its CSNs), by a restart. */
  loadBackup(ldif: string): Promise<void>;
}

const base = "dc=campus,dc=example";
const adminDn = `cn=admin,${base}`;
const password = "s3cret of the test";

/** The entry at the top of the directory, in LDIF. */
export const baseLdif = `dn: ${base}\nobjectClass: domain\nobjectClass: top\ndc: campus\n`;

/** Starts a private slapd (Debian's), with syncprov over an accesslog. */
export async function startSlapd(options: SlapdOptions = {}): Promise<Slapd> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-slapd-"));
  const [port, tlsPort] = [await freePort(), await freePort()];
  const authority = options.tls ? makeAuthority(folder) : undefined;
  const file = join(folder, "slapd.conf");
  const socket = join(folder, "ldapi");
  const ldapiUrl = `ldapi://${encodeURIComponent(socket)}`;
  const url = `ldap://127.0.0.1:${port}`;
  let access = options.access ?? ["to * by * read"];
  let running: ChildProcess | undefined;

  const configure = (): Promise<void> => writeFile(file, configOf(folder, { ...options, access }, authority));

  async function load(ldif: string): Promise<void> {
    for (const name of ["data", "log"]) {
      await rm(join(folder, name), { recursive: true, force: true });
      await mkdir(join(folder, name));
    }
    // -w writes the contextCSN, which a slapd filled offline lacks; -S makes it the server's own.
    execFileSync(command("slapadd"), ["-q", "-w", "-S", "1", "-f", file, "-b", base], {
      input: ldif,
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  async function start(): Promise<void> {
    if (running) return;
    const listen = [`${url}/`, `${ldapiUrl}/????x-mod=0777`, ...(authority ? [`ldaps://127.0.0.1:${tlsPort}/`] : [])];
    const child = spawn(command("slapd"), ["-d", "0", "-f", file, "-h", listen.join(" ")], { stdio: "ignore" });
    running = child;
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}: slapd -d 1 -f ${file}`);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    running = undefined;
    await endProcess(child, signal);
  }

  const stop = (): Promise<void> => end("SIGTERM");
  const restart = async (): Promise<void> => {
    await stop();
    await start();
  };
  await configure();
  await chmod(folder, 0o755);
  await load(options.ldif ?? baseLdif);
  await start();
  return {
    ...{ url, port, ldapiUrl, base, adminDn, password, start, stop, restart },
    ldapsUrl: `ldaps://127.0.0.1:${tlsPort}`,
    ...(authority ?? { ca: "", cert: "", key: "" }),
    modify: (ldif) => run(command("ldapmodify"), ["-x", "-H", url, "-D", adminDn, "-w", password], ldif),
    slapcat: () =>
      execFileSync(command("slapcat"), ["-f", file, "-b", base, "-o", "ldif-wrap=no"], {
        encoding: "utf8",
        stdio: "pipe",
        maxBuffer: 1 << 30,
      }),
    async allow(lines) {
      access = lines;
      await configure();
      await restart();
    },
    kill9: () => end("SIGKILL"),
    async loadBackup(ldif) {
      await stop();
      await load(ldif);
      await start();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configOf(
  folder: string,
  options: SlapdOptions,
  authority: ReturnType<typeof makeAuthority> | undefined,
): string {
  const { syncprov = true, access = [], schema = [], modules = [], database = [], frontend = [] } = options;
  const provides = syncprov === true;
  const schemas = ["core", "cosine", "inetorgperson", "nis", "misc"].map((name) => `/etc/ldap/schema/${name}.schema`);
  const own = `gidNumber=${process.getgid?.()}[+]uidNumber=${process.getuid?.()},cn=peercred,cn=external,cn=auth`;
  return [
    ...schemas.map((schema) => `include ${schema}`),
    `include ${fileURLToPath(new URL("slapd.schema", import.meta.url))}`,
    ...schema,
    ...["modulepath /usr/lib/ldap", "moduleload back_mdb", "moduleload accesslog"],
    ...(options.syncprov === "unloaded" ? [] : ["moduleload syncprov"]),
    ...modules.map((name) => `moduleload ${name}`),
    `pidfile ${folder}/slapd.pid`,
    "serverID 1",
    `authz-regexp "${own}" "${adminDn}"`,
    ...(authority
      ? [
          `TLSCACertificateFile ${authority.ca}`,
          `TLSCertificateFile ${authority.cert}`,
          `TLSCertificateKeyFile ${authority.key}`,
        ]
      : []),
    ...frontend.map((line) => `access ${line}`),
    ...["database mdb", "suffix cn=accesslog", "rootdn cn=accesslog", `directory ${folder}/log`, "maxsize 1073741824"],
    ...["dbnosync", "index default eq", "index entryCSN,objectClass,reqEnd,reqResult,reqStart,reqDN"],
    ...(options.syncprov === "unloaded"
      ? []
      : ["overlay syncprov", "syncprov-nopresent TRUE", "syncprov-reloadhint TRUE"]),
    ...["database mdb", `suffix ${base}`, `rootdn ${adminDn}`, `rootpw "${password}"`, `directory ${folder}/data`],
    ...["maxsize 1073741824", "dbnosync", "index objectClass,entryCSN,entryUUID eq"],
    ...access.map((line) => `access ${line}`),
    ...database,
    ...(provides ? ["overlay syncprov", "syncprov-checkpoint 100 1", "syncprov-sessionlog-source cn=accesslog"] : []),
    ...(provides
      ? ["overlay accesslog", "logdb cn=accesslog", "logops writes", "logsuccess TRUE", "logold (objectClass=*)"]
      : []),
    "",
  ].join("\n");
}

/** The path of a command: Debian has the server's own commands in folders that only root searches. */
export const command = (name: string): string =>
  ["/usr/sbin", "/usr/bin", "/sbin"].map((folder) => join(folder, name)).find(existsSync) ?? name;

function run(file: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, (error, _, stderr) =>
      error ? reject(new Error(stderr || error.message)) : resolve(),
    );
    child.stdin?.end(input);
  });
}

/** True if a server listens on a port of this machine. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy() && true));
    socket.once("error", () => setTimeout(() => resolve(false), 10));
  });
}
