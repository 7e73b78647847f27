import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ldapCommands } from "../servers/ldap-commands.ts";
import type { Slapd } from "../servers/slapd.ts";
import { attributesOf, base, dnOf, type Model, type Written } from "./model.ts";

/** The directory as the chaos reads and writes it: by OpenLDAP's own commands, and nothing of trigger's. */

export interface Entry {
  readonly dn: string;
  readonly uuid: string;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/** All entries, as ldapsearch finds them. */
export async function readEntries({ url, adminDn, password }: Slapd): Promise<Entry[]> {
  const words = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", url, "-D", adminDn, "-w", password, "-b", base];
  const { stdout } = await promisify(execFile)("ldapsearch", [...words, "(objectClass=*)", "*", "entryUUID"], {
    maxBuffer: 1 << 28,
  });
  return stdout
    .split("\n\n")
    .filter((record) => record.trim() !== "")
    .map(readRecord);
}

function readRecord(record: string): Entry {
  const attributes = new Map<string, string[]>();
  for (const line of record.split("\n").filter((line) => line !== "")) {
    const [, name = "", colons, value = ""] = /^([^:]+)(::?) ?(.*)$/.exec(line) ?? [];
    const text = colons === "::" ? Buffer.from(value, "base64").toString() : value;
    const key = name.toLowerCase();
    attributes.set(key, [...(attributes.get(key) ?? []), text]);
  }
  return { dn: attributes.get("dn")?.[0] ?? "", uuid: attributes.get("entryuuid")?.[0] ?? "", attributes };
}

/** What the writer believes that ldapsearch would find; without the UUIDs, which it does not know. */
export function entriesOf(model: Model): Entry[] {
  return [...model.nodes.values()].map((node) => {
    const named = Object.entries(attributesOf(node)).map(([name, values]) => [name.toLowerCase(), values] as const);
    return { dn: dnOf(model, node.id), uuid: "", attributes: new Map(named) };
  });
}

/** Tells the directory a change, again and again until it has it: it may be away, and the answer of one that dies may be lost. */
export async function tell(slapd: Slapd, { ldif, done }: Written, signal: AbortSignal): Promise<void> {
  for (let again = false; !signal.aborted; again = true) {
    try {
      await ldapCommands(slapd)("ldapmodify", [], ldif);
      return;
    } catch (error) {
      const { code, stderr } = error as { code?: number; stderr?: string };
      if (again && done.includes(code ?? 0)) return;
      if (!away.includes(code ?? 0)) throw new Error(`the directory refuses ${readable(ldif)}: ${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Result codes of a server that is not there, or is going: busy, unavailable, unwilling, other, and what ldapmodify says of a broken connection. */
const away = [51, 52, 53, 80, 254, 255];

const readable = (ldif: string): string =>
  ldif.replaceAll(/:: (.*)/g, (_, value) => `: ${Buffer.from(value, "base64")}`);
