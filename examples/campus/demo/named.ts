import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Daemon } from "./daemons.ts";

const zone = "campus.example";
const zones = [zone, ...["42.10", "43.10", "44.10"].map((network) => `${network}.in-addr.arpa`), reverseOfIpv6()];
const inFront = ["@ NS ns1.campus.example.", "@ SOA ns1.campus.example. root.campus.example. 1 3600 600 86400 60"];
/** Foreign records of the zone: no row has them, so the service leaves them alone. */
const own = ["ns1 A 10.42.0.2", "mail A 10.42.0.3", "@ MX 10 mail"];

/** BIND on a free port of this machine, whose zones take updates signed with a key that is made for it. */
export const namedDaemon: Daemon = {
  name: "named",
  programs: { named: "bind9", dig: "bind9-dnsutils", nsupdate: "bind9-dnsutils" },
  live: "BIND runs for ns1, and gets its names by signed updates (RFC 2136)",
  otherwise: "ns1 writes zone files",
  async start({ folder, signal, run }) {
    const port = await freePort();
    const at = (name: string): string => join(folder, name);
    const [key, pidFile] = [at("trigger.key"), at("named.pid")];
    const secret = randomBytes(32).toString("base64");
    writeFileSync(key, `key "trigger" { algorithm hmac-sha256; secret "${secret}"; };\n`, { mode: 0o600 });
    for (const name of zones) {
      writeFileSync(at(name), `$TTL 3600\n${[...inFront, ...(name === zone ? own : [])].join("\n")}\n`);
    }
    writeFileSync(at("named.conf"), configuration(folder, port, key, pidFile));
    const named = run(["named", "-g", "-n", "1", "-c", at("named.conf")], { log: at("log") });

    const resolver = new Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    await named.answers(() => resolver.resolveSoa(zone), signal);
    return {
      reach: { port, key, daemon: { pidFile } },
      question: `dig @127.0.0.1 -p ${port} castor.${zone}`,
      async serves() {
        const transfers = await Promise.all(zones.map((name) => transfer(name, port, key)));
        return Object.fromEntries(zones.map((name, index) => [`ns1/served.${name}`, transfers[index] ?? ""]));
      },
      async ask(name) {
        try {
          return await resolver.resolve4(`${name}.${zone}`);
        } catch (error) {
          // After any other answer the question is repeated. A server that takes a thousand changes may not answer in time.
          return (error as NodeJS.ErrnoException).code === "ENOTFOUND" ? [] : undefined;
        }
      },
    };
  },
};

function configuration(folder: string, port: number, key: string, pidFile: string): string {
  const options = [
    ...[`directory "${folder}"`, `pid-file "${pidFile}"`, "session-keyfile none"],
    ...[`listen-on port ${port} { 127.0.0.1; }`, "listen-on-v6 { none; }", "recursion no", "notify no"],
    ...[`managed-keys-directory "${folder}"`, "dnssec-validation no"],
  ];
  const access = 'update-policy { grant trigger zonesub A AAAA PTR; }; allow-transfer { key "trigger"; };';
  const list = zones.map((name) => `zone "${name}" { type primary; file "${join(folder, name)}"; ${access} };\n`);
  return `include "${key}";\noptions { ${options.join("; ")}; };\ncontrols { };\n${list.join("")}`;
}

/** The records of a zone as named transfers them: name, type and value, without its SOA. */
async function transfer(name: string, port: number, key: string): Promise<string> {
  const words = ["-r", "@127.0.0.1", "-p", `${port}`, "-k", key, "+noall", "+answer", "AXFR", name];
  const { stdout } = await promisify(execFile)("dig", words, { maxBuffer: 64 << 20 });
  const lines = stdout.split("\n").flatMap((line) => {
    const [owner = "", , , type, ...value] = line.split(/\s+/);
    if (type === undefined || type === "SOA" || owner.startsWith(";")) return [];
    return [`${owner.replace(`${name}.`, "").replace(/\.$/, "") || "@"} ${type} ${value.join(" ")}\n`];
  });
  return lines.join("");
}

/** The name of the reverse zone of 2001:db8:42::/48. */
function reverseOfIpv6(): string {
  return `${[..."20010db80042"].reverse().join(".")}.ip6.arpa`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}
