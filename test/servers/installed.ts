import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** True where a program is in one of the folders of programs, those of root among them. */
export const onPath = (program: string): boolean =>
  [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"].some((folder) => existsSync(join(folder, program)));

/**
 * The reason to leave out tests of ISC dhcpd: this Debian has no such package (14 and later).
 * False where it is installed, and where it could be: there a test without it fails.
 */
export function withoutDhcpd(): string | false {
  if (onPath("dhcpd")) return false;
  const said = execFileSync("apt-cache", ["policy", "isc-dhcp-server"], { encoding: "utf8" });
  return /^ {2}Candidate: [^(]/m.test(said) ? false : "this Debian has no ISC dhcpd (package isc-dhcp-server)";
}
