import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { day } from "../../examples/campus/demo/day.ts";
import { makeCampus } from "../../examples/campus/make.ts";
import { until } from "../until.ts";

export const demo = fileURLToPath(new URL("../../examples/campus/demo.ts", import.meta.url));

/**
 * Declares the tests of the demo. If `live`, they use the daemons installed here; otherwise the PATH has neither
 * daemons nor checkers.
 */
export function holdsTheDay({ live }: { readonly live: boolean }): void {
  describe(`the demo with ${live ? "named and Kea" : "no daemon"}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "trigger-demo-"));
    const bare = mkdtempSync(join(tmpdir(), "trigger-bare-"));
    const read = (path: string): string => readFileSync(join(folder, path), "utf8");
    const hosts = (host: string): Map<string, string> =>
      live
        ? new Map(lines(read(`out/${host}/served.reservations`)).map(([name, ...rest]) => [name!, rest.join(" ")]))
        : new Map(dhcpHosts(read(`out/${host}/hosts.conf`)));
    /** The records of a zone: those that named transferred, or those of the file. */
    const zone = (name: string): string =>
      live ? read(`out/ns1/served.${name}`) : read(`out/ns1/db.${name}`).replaceAll(" IN ", " ");
    let ended: { code: number | null; said: string };
    before(async () => {
      ended = await run([demo, "--in", folder], live ? process.env.PATH : bare);
    });
    after(() => {
      for (const made of [folder, bare]) rmSync(made, { recursive: true });
    });

    test("the day ends without a terminal, and each change has its delay", () => {
      assert.equal(ended.code, 0, ended.said);
      const [first = "", ...parts] = ended.said.split(/^\d+\. /m);
      assert.deepEqual(
        parts.map((part) => part.split("\n")[0]),
        day.map(({ title }) => title),
      );
      for (const part of parts) assert.match(part, /applied after [\d,]+ ms/);
      assert.ok(ended.said.includes(join(folder, "campus.ldif")) && ended.said.includes(join(folder, "out")));
      if (live) assert.match(first, /named +BIND runs for ns1.*\n +kea +Kea runs/);
      else assert.match(first, /apt-get install bind9 bind9-dnsutils\).*\n.*apt-get install kea-dhcp4-server\)/);
    });

    test("the answer of a name server, if one runs, is shown beside the delay", () => {
      const said = [...ended.said.matchAll(/ns1 answers (\S+): (.*), after [\d,]+ ms/g)].map(([, ...words]) => words);
      const expected = day.flatMap(({ answers: [name, ...addresses] = [""] }) =>
        name === "" ? [] : [[name, addresses.join(", ") || "there is no such name"]],
      );
      assert.ok(expected.length > 5);
      assert.deepEqual(said, live ? expected : []);
    });

    test("both DHCP servers serve exactly the rows of an independent reading of the directory", () => {
      const expected = new Map(expectedHosts(read("campus.ldif")));
      // The one refused value: its value of the morning is still served.
      expected.set("sphinx", new Map(expectedHosts(makeCampus(new Date()))).get("sphinx") ?? "");
      assert.deepEqual(hosts("dhcp1"), expected);
      assert.deepEqual(hosts("dhcp2"), expected);
    });

    test("the name server serves exactly the rows of an independent reading of the directory", () => {
      const addresses = lines(zone("campus.example"))
        .filter(([name = "", type = ""]) => /^A/.test(type) && !["ns1", "mail"].includes(name))
        .map(([name, , ip]) => `${name} ${ip}`);
      assert.deepEqual(addresses.sort(), expectedNames(read("campus.ldif")).sort());
      const pointers = addresses.filter((line) => / 10\.42\./.test(line)).length;
      assert.equal(zone("42.10.in-addr.arpa").match(/ PTR /g)?.length, pointers);
      assert.match(ended.said, /as `trigger diff` does: dhcp1 dhcp, dhcp2 dhcp, ns1 dns, .*: the same\./);
    });

    test("machines that lost access are in no file of the network", () => {
      const banned = ["cobalt", "nickel", "chrome", "zinc", "radium"];
      const ended = ["tramontane", "mistral", "sirocco"];
      for (const name of [...banned, ...ended, "figaro", "quetzal"]) {
        for (const [path, text] of texts())
          assert.doesNotMatch(text, new RegExp(`\\b${name}\\b`), `${path} has ${name}`);
      }
    });

    test("machines that gained access or changed are in every file of the network", () => {
      for (const name of ["picasso", "condor", "atlas", "moulinette", "minerve"]) {
        assert.ok(hosts("dhcp1").has(name), name);
        assert.match(zone("campus.example"), new RegExp(`^${name} A `, "m"));
      }
      assert.equal(hosts("dhcp1").get("castor")?.split(" ")[1], "10.42.1.4");
      assert.equal(hosts("dhcp1").get("pollux")?.split(" ")[1], "10.42.1.3");
      const reverse = zone("42.10.in-addr.arpa");
      assert.match(reverse, /^4\.1 PTR castor\.campus\.example\.$/m);
      assert.match(reverse, /^3\.1 PTR pollux\.campus\.example\.$/m);
      assert.doesNotMatch(zone("campus.example"), /10\.43\./);
      assert.equal(zone("44.10.in-addr.arpa").match(/ PTR reader-/g)?.length, 1000);
    });

    test("a malformed value is in no file, and the last good row is retained", () => {
      for (const [path, text] of texts()) assert.doesNotMatch(text, /deny booting|group/, path);
      // The test that compares all hosts shows that this row is the last good one.
      assert.ok(hosts("dhcp1").has("sphinx"));
      assert.match(ended.said, /keeps the last good row: .*mac: .*deny booting/);
    });

    test("mail and homes follow the members", () => {
      const map = read("out/mail/virtual");
      assert.match(map, /^fanfare jgarcia, zvermeulen$/m);
      assert.match(map, /^celine\.moulin@campus\.example cmoulin$/m);
      assert.doesNotMatch(map, /pbernard/);
      assert.ok(existsSync(join(folder, "out/mail/homes/cmoulin")));
      assert.ok(!existsSync(join(folder, "out/mail/homes/pbernard")));
      assert.match(readdirSync(join(folder, "out/mail/homes/.archive")).join(), /^10005-pbernard-/);
    });

    test("the demo leaves no process, and announces no daemon to the services", async () => {
      await until(() => !pids(folder).some(isAlive));
      assert.deepEqual(announced(folder), []);
    });

    test("a folder with files, or with an unfit path, is refused in one line", async () => {
      const again = await run([demo, "--in", folder]);
      assert.deepEqual(again, { code: 1, said: `demo: ${folder} is not empty\n` });
      const spaced = await run([demo, "--in", join(folder, "a b")]);
      assert.equal(spaced.code, 1);
      assert.match(spaced.said, /^demo: .*a b\/out has characters .*\n$/);
    });

    function texts(): [path: string, text: string][] {
      return ["dhcp1", "dhcp2", "ns1"].flatMap((host) =>
        readdirSync(join(folder, "out", host), { withFileTypes: true })
          .filter((file) => file.isFile())
          .map((file): [string, string] => [file.name, read(join("out", host, file.name))]),
      );
    }
  });
}

/** The process ids of the daemons started in a folder, from their pid files. */
export function pids(folder: string): number[] {
  const daemons = join(folder, "out", "daemons");
  if (!existsSync(daemons)) return [];
  const files = readdirSync(daemons, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".pid"));
  return files.map((name) => Number(readFileSync(join(daemons, name), "utf8")));
}

/** The names of the files by which services find the daemons. */
export function announced(folder: string): string[] {
  const daemons = join(folder, "out", "daemons");
  return existsSync(daemons) ? readdirSync(daemons).filter((name) => name.endsWith(".json")) : [];
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // no such process
  }
}

const lines = (text: string): string[][] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));

/** Runs a program of Node without a terminal and returns its exit code and output. */
function run(words: readonly string[], PATH = process.env.PATH): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PATH };
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"], env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    child.on("error", reject).on("close", (code) => resolve({ code, said }));
  });
}

/** The names in a dhcpd file, each with its addresses. */
function dhcpHosts(text: string): [name: string, addresses: string][] {
  return [...text.matchAll(/^host (\S+) \{ hardware ethernet (\S+); fixed-address (\S+); .*\}$/gm)].map(
    ([, name = "", mac, ip]) => [name, `${mac} ${ip}`],
  );
}

/** The records that DHCP should serve, read from the LDIF in the simplest way, without the code under test. */
function expectedHosts(ldif: string): [name: string, addresses: string][] {
  return machinesWithAccess(ldif).flatMap(({ name, mac, ips }) => {
    const ip = ips.find((address) => address.includes("."));
    return ip ? [[name, `${mac.match(/[0-9a-f]{2}/g)!.join(":")} ${ip}`]] : [];
  });
}

/** The names that DNS should serve, each with one address. */
const expectedNames = (ldif: string): string[] =>
  machinesWithAccess(ldif).flatMap(({ name, ips }) => ips.map((ip) => `${name} ${ip.replace(":0db8:", ":db8:")}`));

function machinesWithAccess(ldif: string): { name: string; mac: string; ips: string[] }[] {
  const entries = ldif.split("\n\n").map((text) => {
    const lines = text.split("\n").map((line) => line.match(/^(\w+)(::?) (.*)$/));
    return lines.flatMap((line) =>
      line ? [[line[1], line[2] === "::" ? Buffer.from(line[3]!, "base64").toString() : line[3]!] as const] : [],
    );
  });
  type Pairs = (typeof entries)[number];
  const all = (entry: Pairs | undefined, name: string) =>
    (entry ?? []).filter(([is]) => is === name).map(([, it]) => it);
  const one = (entry: Pairs | undefined, name: string) => all(entry, name)[0];
  const now = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const started = (date: string | undefined) => !date || date.replaceAll(/\D/g, "").padEnd(14, "0") <= now;
  const over = (date: string | undefined) => Boolean(date) && started(date);
  const byDn = new Map(entries.map((entry) => [one(entry, "dn"), entry]));
  const banned = new Set(
    entries
      .filter((ban) => started(one(ban, "banStart")) && !over(one(ban, "banEnd")))
      .map((ban) => one(ban, "bannedMember")),
  );
  return entries.flatMap((entry) => {
    const ips = all(entry, "ipHostNumber").map((address) => address.toLowerCase());
    const owner = one(entry, "owner") ?? one(entry, "dn")?.replace(/^[^,]*,/, "");
    if (ips.length === 0 || banned.has(owner) || over(one(byDn.get(owner), "paidUntil"))) return [];
    return [{ name: one(entry, "cn")!, mac: one(entry, "macAddress")!.toLowerCase(), ips }];
  });
}
