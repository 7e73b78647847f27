import { createHash } from "node:crypto";
import { notice } from "../settings.ts";
import { isDevice, probeName, readPassword, schemes } from "./columns.ts";

/** The file of FreeRADIUS's `files` module (users(5)): written, and read back. */

/** A user or a device, as a row has it. */
export type RadiusUser = {
  /** A user name, a name with its realm, or a MAC address. */
  readonly name: string;
  /** The scheme and the value of the password; a device has none. */
  readonly password?: string | undefined;
  /** The VLAN by number or name. */
  readonly vlan?: string | undefined;
  /** Attributes of the answer by name. */
  readonly reply?: Readonly<Record<string, string | undefined>> | undefined;
};

/** The forms of a MAC address as a user name, each shown by an example. */
export const macForms = [
  "aabbccddeeff",
  "aa-bb-cc-dd-ee-ff",
  "aa:bb:cc:dd:ee:ff",
  "AABBCCDDEEFF",
  "AA-BB-CC-DD-EE-FF",
  "AA:BB:CC:DD:EE:FF",
] as const satisfies readonly MacForm[];

/** The form of a MAC address as a user name. */
export type MacForm =
  | "aabbccddeeff"
  | "aa-bb-cc-dd-ee-ff"
  | "aa:bb:cc:dd:ee:ff"
  | "AABBCCDDEEFF"
  | "AA-BB-CC-DD-EE-FF"
  | "AA:BB:CC:DD:EE:FF";

export interface UsersFile {
  readonly text: string;
  /** The key of the row whose entry a line belongs to, counted from 1. */
  keyOf(line: number): string | undefined;
}

/** The condition for a request outside of tunnels and EAP. Inside, a user may type any name and password. */
const outside = "EAP-Message !* ANY, FreeRADIUS-Proxied-To !* ANY";

/**
 * The text for some users, in the order given. `nonce` stays while the installed text is whole, and changes after a
 * foreign change. Otherwise its serial would be that of the changed text, which the server may have read.
 */
export function usersFile(
  users: Iterable<readonly [key: string, user: RadiusUser]>,
  form: MacForm,
  nonce: string,
): UsersFile {
  const starts: { line: number; key: string }[] = [];
  const entries: string[] = [];
  let line = whole("", nonce).split("\n").length;
  for (const [key, user] of users) {
    const entry = usersEntry(user, form);
    starts.push({ line, key });
    entries.push(entry);
    line += entry.split("\n").length - 1;
  }
  return {
    text: whole(entries.join(""), nonce),
    keyOf: (line) => starts.findLast((start) => start.line <= line)?.key,
  };
}

/**
 * The entries after the probe's own, which gives the serial of the content and never admits. It rejects, and its answer
 * becomes a challenge, because FreeRADIUS delays rejections for a second.
 */
function whole(entries: string, nonce: string): string {
  const hash = createHash("sha256").update(entries).digest("hex").slice(0, 32);
  return `# ${notice}
${probeName} Auth-Type := Reject, Response-Packet-Type := Access-Challenge, ${outside}
\tReply-Message = '${hash}-${nonce}'
${entries}`;
}

/** The serial of a text that trigger wrote. */
export const serialIn = (text: string): string | undefined =>
  new RegExp(`^${probeName} .*\\n\\tReply-Message = '(${serialForm.source})'$`, "m").exec(text)?.[1];

export const serialForm = /[0-9a-f]{32}-[0-9a-f]{8}/;

/** The nonce of a text that is unchanged since trigger wrote it. */
export function nonceIn(text: string): string | undefined {
  const serial = serialIn(text);
  if (serial === undefined) return undefined;
  const nonce = serial.slice(-8);
  const entries = text.slice(whole("", nonce).length);
  return whole(entries, nonce) === text ? nonce : undefined;
}

/** One user's entry: its check items in a line with its name, each reply item in a line of its own. */
export function usersEntry({ name, password, vlan, reply = {} }: RadiusUser, form: MacForm): string {
  const items = Object.entries(reply)
    .flatMap(([attribute, value]) => (value === undefined ? [] : [`${attribute} = ${quoted(value)}`]))
    .sort();
  if (vlan !== undefined) {
    items.push("Tunnel-Type = VLAN", "Tunnel-Medium-Type = IEEE-802", `Tunnel-Private-Group-Id = ${quoted(vlan)}`);
  }
  const replies = items.map((item) => `\n\t${item}`).join(",");
  if (isDevice(name)) {
    const said = inForm(name, form);
    return `${said} Cleartext-Password := ${quoted(said)}, ${outside}${replies}\n`;
  }
  const { scheme = "", value = "" } = readPassword(password ?? "") ?? {};
  const known = schemes[scheme];
  if (!known) throw new Error(`${name} has no password that FreeRADIUS can check`); // the row's columns exclude this
  return `${name} ${known.attribute} := ${scheme === "NT" ? `0x${value}` : quoted(value)}${replies}\n`;
}

/** A word in single quotes: FreeRADIUS expands nothing in it, and a backslash escapes the next character. */
const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;
const unquoted = (text: string): string => text.replace(/^'(.*)'$/s, "$1").replace(/\\([\\'])/g, "$1");

function inForm(mac: string, form: MacForm): string {
  const separator = /[^a-f]/i.exec(form)?.[0] ?? "";
  const text = mac.replaceAll(":", separator);
  return form.startsWith("A") ? text.toUpperCase() : text;
}

/** The users of a text. Of a foreign entry it gives only the name. */
export function readUsers(text: string, form: MacForm): RadiusUser[] {
  const users: RadiusUser[] = [];
  for (const [entry] of text.matchAll(/^[^\s#].*\n(?:[ \t]+.*\n?)*/gm)) {
    const user = readEntry(entry);
    const name = user.name;
    if (name === probeName && entry.startsWith(`${probeName} Auth-Type := Reject, `)) continue;
    users.push(usersEntryOrNothing(user, form) === entry ? user : { name });
  }
  return users;

  function readEntry(entry: string): RadiusUser {
    const [first = "", ...rest] = entry.trimEnd().split("\n");
    const [, said = "", attribute, value = ""] = /^(\S+) (\S+) := ('(?:[^\\']|\\.)*'|0x[0-9a-f]+)/.exec(first) ?? [
      "",
      first.split(/\s/)[0],
    ];
    const items = rest.map((item) => /^\t(\S+) = (.*?),?$/.exec(item) ?? []);
    const {
      "Tunnel-Private-Group-Id": vlan,
      "Tunnel-Type": _,
      "Tunnel-Medium-Type": __,
      ...reply
    } = Object.fromEntries(items.map(([, name = "", value = ""]) => [name, unquoted(value)]));
    const given = { ...(vlan === undefined ? {} : { vlan }), ...(Object.keys(reply).length > 0 ? { reply } : {}) };
    const mac = /^([0-9a-f]{2}[:-]?){5}[0-9a-f]{2}$/i.test(said) && first.includes(outside);
    if (mac) return { name: said.toLowerCase().replace(/[:-]/g, "").match(/../g)?.join(":") ?? said, ...given };
    const scheme = Object.entries(schemes).find(([, known]) => known.attribute === attribute)?.[0];
    if (scheme === undefined) return { name: said };
    return { name: said, password: `{${scheme}}${scheme === "NT" ? value.slice(2) : unquoted(value)}`, ...given };
  }
}

function usersEntryOrNothing(user: RadiusUser, form: MacForm): string | undefined {
  return isDevice(user.name) || user.password !== undefined ? usersEntry(user, form) : undefined;
}
