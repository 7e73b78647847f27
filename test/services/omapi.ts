import assert from "node:assert/strict";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { quietMachine } from "./scene.ts";

type Values = Map<string, string>;

/**
 * A simulated dhcpd, as far as omshell shows it. An unknown command makes it fail, and its leases file is written as
 * dhcpd writes it.
 */
export interface Omapi {
  readonly machine: MemoryMachine;
  /** The hosts by name: MAC and IPv4 address. */
  readonly hosts: Map<string, { mac: string; ip: string }>;
  /** The number of runs of omshell, and the commands of the last one. */
  runs: number;
  commands: string[];
}

const line =
  /^(connect|new host|open|close|remove|create|update|server 127\.0\.0\.1|port 7911|key-algorithm hmac-sha256|key trigger c2VjcmV0|set (name) = "([a-z0-9-]{1,63})"|set (hardware-address) = ([0-9a-f:]{17})|set (hardware-type) = (1)|set (ip-address) = ([0-9.]{7,15})|set (statements) = "(option host-name \\"[a-z0-9-]{1,63}\\";)")$/;

export function omapi(files: Record<string, string> = {}): Omapi {
  const key = 'key "trigger" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n';
  const machine = quietMachine({ "/etc/dhcp/omapi.key": key, "/var/lib/dhcp/dhcpd.leases": "", ...files });
  const hosts: Omapi["hosts"] = new Map();
  const dhcpd: Omapi = { machine, hosts, runs: 0, commands: [] };
  machine.program("omshell", ({ input = "" }) => {
    dhcpd.runs += 1;
    dhcpd.commands = input.split("\n").slice(0, -1);
    return { stdout: session(dhcpd, dhcpd.commands) };
  });
  return dhcpd;
}

/** The answers of omshell 4.4 to some commands: after each one the object, or that there is none. */
function session({ machine, hosts }: Omapi, commands: readonly string[]): string {
  let object: Values | undefined;
  let name: string | undefined;
  let said = "> > > > ";
  const journal = (text: string): void => {
    const path = "/var/lib/dhcp/dhcpd.leases";
    machine.place(path, `${machine.text(path)}${text}`);
  };
  const write = (host: string, values: Values): void => {
    const [mac = "", ip = ""] = [values.get("hardware-address"), values.get("ip-address")];
    hosts.set(host, { mac, ip });
    journal(`host ${host} {\n  dynamic;\n  hardware ethernet ${mac};\n  fixed-address ${ip};\n}\n`);
  };
  const matching = (values: Values): string[] =>
    [...hosts].flatMap(([host, { mac }]) =>
      values.get("name") === host || values.get("hardware-address") === mac ? [host] : [],
    );

  for (const command of commands) {
    const [, word = "", ...parts] = line.exec(command) ?? assert.fail(`omshell is given ${JSON.stringify(command)}`);
    const [set, value = ""] = parts.filter((part) => part !== undefined);
    let wrong = "";
    if (/^(server|port|key)/.test(word)) continue;
    if (word === "new host") object = new Map();
    if (word === "close") {
      if (!object) said += "> not open.\n";
      [object, name] = [undefined, undefined];
    }
    if (object && set) object.set(set, value);
    if (object && word === "open") {
      // For a host named in two ways, dhcpd has one that fits both, or none.
      const fits = (host: string, mac = ""): boolean =>
        (object?.get("name") ?? host) === host && (object?.get("hardware-address") ?? mac) === mac;
      name = matching(object).find((host) => fits(host, hosts.get(host)?.mac));
      const there = name === undefined ? undefined : hosts.get(name);
      if (name !== undefined && there)
        object.set("name", name).set("hardware-address", there.mac).set("ip-address", there.ip);
      else wrong = "can't open object: not found";
    }
    if (object && word === "create") {
      const [there] = matching(object);
      name = object.get("name") ?? assert.fail("a host without a name");
      if (there !== undefined) wrong = `can't open object: ${there === name ? "already exists" : "key conflict"}`;
      else write(name, object);
    }
    if (object && (word === "update" || word === "remove")) {
      if (name === undefined) wrong = `can't ${word === "remove" ? "destroy" : word} object: not found`;
      else {
        journal(`host ${name} {\n  dynamic;\n  deleted;\n}\n`);
        if (word === "update") write(name, object);
        else {
          hosts.delete(name);
          object = undefined;
        }
      }
    }
    said += `${wrong && `> ${wrong}\n`}${shown(object, wrong)}`;
  }
  return `${said}> `;
}

function shown(object: Values | undefined, wrong: string): string {
  const prompt = wrong ? "" : "> ";
  if (!object) return `${prompt}obj: <null>\n`;
  const hex = (ip: string): string =>
    ip
      .split(".")
      .map((octet) => Number(octet).toString(16).padStart(2, "0"))
      .join(":");
  const lines = [...object].map(([name, value]) => {
    if (name === "ip-address") return `${name} = ${hex(value)}\n`;
    return /address|type/.test(name) ? `${name} = ${value}\n` : `${name} = "${value}"\n`;
  });
  return `${prompt}obj: host\n${lines.join("")}`;
}
