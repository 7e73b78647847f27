import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../until.ts";
import { onPath } from "./installed.ts";

const run = promisify(execFile);

/** The script that a real client runs when its lease changes. dhclient goes on with its lease until the script ends it. */
const scriptOf = (lease: string): string => `#!/bin/sh
[ "$1" = bound ] && echo "$ip$ipv6 $hostname" >${lease}
[ "$reason" = BOUND6 ] && { echo "$new_ip6_address" >${lease}; kill $PPID; }
exit 0
`;

/**
 * A client at the end `v1` of a cable, in a network namespace: by MAC address, the lease that it gets and keeps.
 * For IPv4 it is udhcpc; for IPv6 dhclient, or busybox's udhcpc6 where there is no dhclient (Debian 14).
 */
export function dhcpClient(
  namespace: string,
  folder: string,
  family: 4 | 6,
): (mac: string) => Promise<{ ip: string; hostname: string } | undefined> {
  const [lease, script] = [join(folder, "lease"), join(folder, "script")];
  writeFileSync(script, scriptOf(lease), { mode: 0o755 });
  const busybox = ["-i", "v1", "-f", "-q", "-n", "-t", "8", "-T", "1", "-s", script];
  const words = (mac: string): string[] => {
    if (family === 4) return ["udhcpc", ...busybox];
    if (!onPath("dhclient")) return ["busybox", "udhcpc6", ...busybox];
    const files = ["-sf", script, "-lf", join(folder, mac), "-pf", join(folder, "pid")];
    return ["timeout", "8", "dhclient", "-6", "-1", "-d", ...files, "v1"];
  };
  return async (mac) => {
    rmSync(lease, { force: true });
    for (const change of [["down"], ["address", mac], ["up"]])
      await run("ip", ["-n", namespace, "link", "set", "v1", ...change]);
    // Without an address of the interface's own, clients of IPv6 give up at once.
    const own = async () => (await run("ip", ["-n", namespace, "-6", "addr", "show", "v1"])).stdout;
    if (family === 6) await until(async () => (await own()).includes("fe80::"));
    await run("ip", ["netns", "exec", namespace, ...words(mac)]).catch(() => {}); // no lease: it exits with 1
    try {
      const [ip = "", hostname = ""] = readFileSync(lease, "utf8").trim().split(" ");
      return { ip: ip.includes(":") ? shortened(ip) : ip, hostname };
    } catch {
      return undefined;
    }
  };
}

/** An IPv6 address as RFC 5952 writes it; udhcpc6 writes all of its digits. */
const shortened = (ip: string): string => new URL(`http://[${ip}]`).hostname.slice(1, -1);
