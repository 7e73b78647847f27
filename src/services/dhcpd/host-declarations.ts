/** Reads the `host` declarations of ISC dhcpd: in a configuration, and in its leases file, which has those made over OMAPI. */

/** A host with a MAC address, as dhcpd has it. `ip` is empty without an address, and has commas between several. */
export interface DeclaredHost {
  readonly mac: string;
  readonly ip: string;
  readonly name: string;
}

const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const declaration = new RegExp(String.raw`\bhost\s+"?([^\s"{]+)"?\s*\{((?:${quoted}|[^{}"])*)\}`, "g");
/** A declaration in the leases file. dhcpd indents its content, so that a client's own name cannot look like a declaration. */
const journalled = /^host (\S+) \{\n((?:(?!\}).*\n)*)\}$/gm;

/** The hosts of a file of declarations, in their order. */
export function declaredHosts(text: string): DeclaredHost[] {
  const bare = text.replace(new RegExp(`(${quoted})|#.*`, "g"), "$1");
  return [...bare.matchAll(declaration)].flatMap(([, name = "", body = ""]) => hostOf(name, body) ?? []);
}

/** The hosts that OMAPI made, by MAC address, of a leases file (dhcpd.leases(5)): of several declarations of one name, the last one is valid. */
export function dynamicHosts(text: string): Map<string, DeclaredHost> {
  const last = new Map<string, DeclaredHost | undefined>();
  for (const [, name = "", body = ""] of text.matchAll(journalled)) {
    last.set(name, /^\s*deleted;/m.test(body) ? undefined : hostOf(name, body));
  }
  return new Map([...last.values()].flatMap((host) => (host ? [[host.mac, host] as const] : [])));
}

function hostOf(name: string, body: string): DeclaredHost | undefined {
  const mac = /\bhardware\s+ethernet\s+([0-9a-f:]+)\s*;/i.exec(body)?.[1];
  if (mac === undefined) return undefined;
  const ip = /\bfixed-address\s+([^;"]*?)\s*;/.exec(body)?.[1] ?? "";
  return { mac: mac.toLowerCase(), ip: ip.replace(/\s*,\s*/g, ", "), name };
}
