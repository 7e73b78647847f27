import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "./authority.ts";
import { endProcess } from "./end.ts";
import { freePort } from "./port.ts";
import { answers, command } from "./slapd.ts";

/** An OpenLDAP server as Debian's package sets it up: with `cn=config`, over which this user has power on the Unix socket. */
export interface DebianSlapd extends AsyncDisposable {
  readonly url: string;
  /** The address of TLS, once it has a certificate. */
  readonly ldapsUrl: string;
  /** Its folder, with `ca.pem`, `ldap.pem` and `ldap.key`, which it does not use yet. */
  readonly folder: string;
  /**
   * Runs commands as its administrator types them: on its own socket, in its folder. The password prompt is answered.
   */
  shell(script: string): void;
}

const base = "dc=campus,dc=example";
const adminPassword = "the word of the administrator";

/** Starts a server with the entries of an LDIF, on 127.0.0.1. */
export async function startDebianSlapd(ldif: string): Promise<DebianSlapd> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-slapd-"));
  const path = (name: string): string => join(folder, name);
  for (const name of ["config", "data"]) mkdirSync(path(name));
  const authority = makeAuthority(folder);
  writeFileSync(path("ldap.pem"), readFileSync(authority.cert));
  writeFileSync(path("ldap.key"), readFileSync(authority.key));
  writeFileSync(path("admin"), adminPassword);

  const slapadd = (number: number, input: string): void =>
    void execFileSync(command("slapadd"), ["-F", path("config"), "-n", `${number}`, "-w"], { input, stdio: "pipe" });
  slapadd(0, initialConfig(folder));
  slapadd(1, ldif);

  const [port, tlsPort] = [await freePort(), await freePort()];
  const socket = `ldapi://${encodeURIComponent(path("ldapi"))}`;
  const [url, ldapsUrl] = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${tlsPort}`];
  const listen = `${url}/ ${ldapsUrl}/ ${socket}/`;
  const slapd = spawn(command("slapd"), ["-d", "0", "-F", path("config"), "-h", listen], { stdio: "ignore" });
  while (!(await answers(port))) if (slapd.exitCode !== null) throw new Error(`slapd ended with ${slapd.exitCode}`);

  return {
    ...{ url, ldapsUrl, folder },
    shell(script) {
      const here = script.replaceAll("ldapi:///", socket).replaceAll(" -W ", " -y admin ");
      execFileSync("sh", ["-euc", here], { cwd: folder, stdio: "pipe" });
    },
    async [Symbol.asyncDispose]() {
      await endProcess(slapd, "SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The files that the package's installation writes, in a folder of ours and with the power of root given to this user.
 */
function initialConfig(folder: string): string {
  const root = "gidNumber=0+uidNumber=0";
  return readFileSync("/usr/share/slapd/slapd.init.ldif", "utf8")
    .replaceAll("@SUFFIX@", base)
    .replaceAll("@PASSWORD@", adminPassword)
    .replaceAll(root, `gidNumber=${process.getgid?.()}+uidNumber=${process.getuid?.()}`)
    .replaceAll("/var/run/slapd", folder)
    .replaceAll("/var/lib/ldap", join(folder, "data"));
}
