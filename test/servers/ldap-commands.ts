import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Slapd } from "./slapd.ts";

export type LdapCommand = "ldapmodify" | "ldapmodrdn" | "ldapdelete";

/** The commands of ldap-utils, as the administrator of the directory types them; `input` is the LDIF. */
export function ldapCommands({ url, adminDn, password }: Slapd) {
  return (command: LdapCommand, words: readonly string[], input = ""): Promise<unknown> => {
    const ran = promisify(execFile)(command, ["-x", "-H", url, "-D", adminDn, "-w", password, ...words]);
    ran.child.stdin?.on("error", () => {}); // it ended without reading, and says itself why
    ran.child.stdin?.end(input);
    return ran;
  };
}
