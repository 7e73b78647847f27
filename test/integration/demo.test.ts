import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { day } from "../../examples/campus/demo/day.ts";
import { makeCampus } from "../../examples/campus/make.ts";

const demo = fileURLToPath(new URL("../../examples/campus/demo.ts", import.meta.url));

describe("the demo", () => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-demo-"));
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  let ended: { code: number | null; said: string };
  before(async () => {
    ended = await run(process.execPath, [demo, "--in", folder]);
  });
  after(() => rmSync(folder, { recursive: true }));

  test("it plays its day to the end without a terminal and says for each change when it was loaded", () => {
    assert.equal(ended.code, 0, ended.said);
    const [, ...parts] = ended.said.split(/^\d+\. /m);
    assert.deepEqual(
      parts.map((part) => part.split("\n")[0]),
      day.map(({ title }) => title),
    );
    for (const part of parts) assert.match(part, /loaded after [\d,]+ ms/);
    assert.ok(ended.said.includes(join(folder, "campus.ldif")) && ended.said.includes(join(folder, "out")));
  });

  test("both DHCP servers serve just what another reading of the directory gives", () => {
    const expected = new Map(expectedHosts(read("campus.ldif")));
    // The one value that was refused: what it was in the morning is still served.
    expected.set("sphinx", new Map(expectedHosts(makeCampus(new Date()))).get("sphinx") ?? "");
    assert.deepEqual(new Map(dhcpHosts(read("out/dhcp1/hosts.conf"))), expected);
    assert.equal(read("out/dhcp2/hosts.conf"), read("out/dhcp1/hosts.conf"));
  });

  test("who lost the network is in no file of it", () => {
    const banned = ["cobalt", "nickel", "chrome", "zinc", "radium"];
    const ended = ["tramontane", "mistral", "sirocco"];
    for (const name of [...banned, ...ended, "figaro", "quetzal"]) {
      for (const [path, text] of texts()) assert.doesNotMatch(text, new RegExp(`\\b${name}\\b`), `${path} has ${name}`);
    }
  });

  test("who gained it, or changed, is in every file of it", () => {
    const zone = read("out/ns1/db.campus.example");
    const hosts = new Map(dhcpHosts(read("out/dhcp1/hosts.conf")));
    for (const name of ["picasso", "condor", "atlas", "moulinette", "minerve"]) {
      assert.ok(hosts.has(name), name);
      assert.match(zone, new RegExp(`^${name} IN A `, "m"));
    }
    assert.equal(hosts.get("castor")?.split(" ")[1], "10.42.1.4");
    assert.equal(hosts.get("pollux")?.split(" ")[1], "10.42.1.3");
    const reverse = read("out/ns1/db.42.10.in-addr.arpa");
    assert.match(reverse, /^4\.1 IN PTR castor\.campus\.example\.$/m);
    assert.match(reverse, /^3\.1 IN PTR pollux\.campus\.example\.$/m);
    assert.doesNotMatch(zone, /10\.43\./);
    assert.equal(read("out/ns1/db.44.10.in-addr.arpa").match(/ IN PTR reader-/g)?.length, 1000);
  });

  test("of a malformed value nothing is in any file, and the last good one is", () => {
    for (const [path, text] of texts()) assert.doesNotMatch(text, /deny booting|group/, path);
    // That it is the last good one is seen where all hosts are compared.
    assert.match(read("out/dhcp1/hosts.conf"), /^host sphinx /m);
    assert.match(ended.said, /keeps the last good row: refused: mac: .*deny booting/);
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

  test("a folder that is not empty, or whose path cannot have homes, is refused in one line", async () => {
    const again = await run(process.execPath, [demo, "--in", folder]);
    assert.deepEqual(again, { code: 1, said: `demo: ${folder} is not empty\n` });
    const spaced = await run(process.execPath, [demo, "--in", join(folder, "a b")]);
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

/** Runs a program without a terminal and gives what it said. */
function run(program: string, words: readonly string[]): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    child.on("error", reject).on("close", (code) => resolve({ code, said }));
  });
}

/** The names of a dhcpd file with their addresses. */
function dhcpHosts(text: string): [name: string, addresses: string][] {
  return [...text.matchAll(/^host (\S+) \{ hardware ethernet (\S+); fixed-address (\S+); .*\}$/gm)].map(
    ([, name = "", mac, ip]) => [name, `${mac} ${ip}`],
  );
}

/** What DHCP should serve, read from the LDIF by the shortest way and with none of the code under test. */
function expectedHosts(ldif: string): [name: string, addresses: string][] {
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
    const ip = all(entry, "ipHostNumber").find((address) => address.includes("."));
    const owner = one(entry, "owner") ?? one(entry, "dn")?.replace(/^[^,]*,/, "");
    if (!ip || banned.has(owner) || over(one(byDn.get(owner), "paidUntil"))) return [];
    const name = one(entry, "cn")!;
    const octets = one(entry, "macAddress")!
      .toLowerCase()
      .match(/[0-9a-f]{2}/g)!;
    return [[name, `${octets.join(":")} ${ip}`]];
  });
}
