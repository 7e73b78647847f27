import assert from "node:assert/strict";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";

/** A DNS server in memory behind the programs `dig` and `nsupdate`, strict: a line that it does not know makes the test fail. */
export function simulatedDns(machine: MemoryMachine, zones: readonly string[]) {
  /** `name type` with its records, `ttl data`. */
  const sets = new Map<string, string[]>();
  const serials = new Map(zones.map((zone) => [zone, 1]));
  const messages: string[][] = [];
  const controls = { refused: new Set<string>(), down: false };
  machine.place("/etc/bind/trigger.key", 'key "trigger" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n');

  const inZone = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);
  const silent = { code: 9, stdout: ";; no servers could be reached\n" };
  const header = (status: string): string =>
    `;; ->>HEADER<<- opcode: QUERY, status: ${status}, id: 1\n;; ANSWER SECTION:\n`;
  const soa = (zone: string): string => `${zone}. 3600 IN SOA ns. root. ${serials.get(zone)} 1 2 3 4\n`;
  const lines = (name: string, type: string): string =>
    (sets.get(`${name} ${type}`) ?? []).map((record) => `${name}. ${record.replace(" ", ` IN ${type} `)}\n`).join("");

  machine.program("dig", ({ arguments: words, input }) => {
    if (controls.down) return silent;
    if (words.at(-2) === "AXFR") {
      const zone = words.at(-1)?.replace(/\.$/, "") ?? "";
      if (!serials.has(zone)) return { stdout: header("NOTAUTH") };
      const inside = [...sets.keys()].map((key) => key.split(" ")).filter(([name = ""]) => inZone(name, zone));
      const records = inside.map(([name = "", type = ""]) => lines(name, type)).join("");
      return { stdout: `${header("NOERROR")}${soa(zone)}${records}${soa(zone)}` };
    }
    assert.deepEqual(words.slice(-2), ["-f", "-"]);
    const answers = (input ?? "")
      .trimEnd()
      .split("\n")
      .map((question) => {
        const [, name = "", type = ""] =
          /^(\S+)\. (SOA|A|AAAA|PTR|CNAME)$/.exec(question) ??
          assert.fail(`not a question: ${JSON.stringify(question)}`);
        return header("NOERROR") + (type === "SOA" ? soa(name) : lines(name, type));
      });
    return { stdout: answers.join("") };
  });

  machine.program("nsupdate", ({ input = "" }) => {
    if (controls.down) return { code: 2, stderr: "; Communication with 127.0.0.1#53 failed: timed out\n" };
    let [zone, stdout, code] = ["", "", 0];
    let message: string[] = [];
    for (const line of input.trimEnd().split("\n")) {
      if (/^server \S+ \d+$/.test(line) || line === "answer") continue;
      zone = /^zone (\S+)\.$/.exec(line)?.[1] ?? zone;
      if (line !== "send") message.push(line);
      else {
        const status = take(zone, message.slice(1));
        if (message.length > 1) messages.push(message);
        stdout += `;; ->>HEADER<<- opcode: UPDATE, status: ${status}, id: 1\n`;
        if (status !== "NOERROR") code = 2;
        message = [];
      }
    }
    return { code, stdout };
  });

  function take(zone: string, message: readonly string[]): string {
    assert.ok(serials.has(zone), `no zone ${zone}`);
    const wanted = new Map<string, string[]>();
    const updates: string[][] = [];
    for (const line of message) {
      const [, what = "", name = "", rest = ""] =
        /^(prereq nxrrset|prereq yxrrset|update add|update delete) ([a-z0-9.-]+)\. ([A-Z0-9a-z:. ]+)$/.exec(line) ??
        assert.fail(`not a line of an update: ${JSON.stringify(line)}`);
      assert.ok(inZone(name, zone), `${name} is not in ${zone}`);
      const [type = "", data] = rest.split(" ").slice(what === "update add" ? 1 : 0);
      assert.match(type, /^(A|AAAA|PTR|CNAME)$/);
      if (controls.refused.has(name)) return "REFUSED";
      const key = `${name} ${type}`;
      if (what === "prereq nxrrset" && sets.has(key)) return "YXRRSET";
      if (what === "prereq yxrrset") wanted.set(key, [...(wanted.get(key) ?? []), data ?? ""]);
      if (what.startsWith("update")) updates.push([what, key, rest.split(" ")[0] ?? "", data ?? ""]);
    }
    for (const [key, values] of wanted) {
      const has = (sets.get(key) ?? []).map((record) => record.split(" ")[1]);
      if (has.sort().join() !== values.sort().join()) return "NXRRSET";
    }
    for (const [what, key = "", ttl, data] of updates) {
      if (what === "update delete") sets.delete(key);
      else sets.set(key, [...(sets.get(key) ?? []), `${ttl} ${data}`]);
    }
    if (updates.length > 0) serials.set(zone, (serials.get(zone) ?? 0) + 1);
    return "NOERROR";
  }
  return { sets, serials, messages, controls };
}
