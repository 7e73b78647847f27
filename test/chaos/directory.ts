import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ldapCommands } from "../servers/ldap-commands.ts";
import type { Slapd } from "../servers/slapd.ts";
import { attributesOf, base, dnOf, type Model, type Written } from "./model.ts";

/** The directory for the chaos run, read and written by OpenLDAP's own commands, without code of trigger. */

export interface Entry {
  readonly dn: string;
  readonly uuid: string;
  /** The values of each attribute, by its name in lower case. */
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

/** The entries that ldapsearch should find, by the writer's model. They have no UUIDs, since the model has none. */
export function entriesOf(model: Model): Entry[] {
  return [...model.nodes.values()].map((node) => {
    const named = Object.entries(attributesOf(node)).map(([name, values]) => [name.toLowerCase(), values] as const);
    return { dn: dnOf(model, node.id), uuid: "", attributes: new Map(named) };
  });
}

/**
 * Writes a change to the directory, repeated until it is there. The server may be away, and an answer may be lost when
 * it dies.
 */
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

/**
 * Result codes of a server that is away or shuts down: busy, unavailable, unwilling, other. Also ldapmodify's codes for
 * a broken connection.
 */
const away = [51, 52, 53, 80, 254, 255];

const readable = (ldif: string): string =>
  ldif.replaceAll(/:: (.*)/g, (_, value) => `: ${Buffer.from(value, "base64")}`);
